using System.Net;
using Supervisor.Core.Listeners;

namespace Supervisor.Config.Settings;

/// <summary>One element of <c>datagram.multicast</c>.</summary>
internal static class MulticastSettings
{
    /// <summary>An element before its group has been read.</summary>
    public static readonly MulticastMembership Blank = new(IPAddress.None, null, null);

    public static readonly SectionTable<MulticastMembership> Table = new(
    [
        Of("group", SettingTypes.NumericAddress,
            "Join this group, a multicast address of the same family as the listener's address",
            (s, v) => s with { Group = v }) with { IsRequired = true },
        Of("interface", SettingTypes.Interface,
            "Join on this interface. Unset: the kernel chooses one", (s, v) => s with { Interface = v }),
        Of("source", SettingTypes.NumericAddress,
            "Receive only from this sender. Unset: from every sender", (s, v) => s with { Source = v }),
    ]);

    private static Setting<MulticastMembership> Of<T>(
        string key, SettingType<T> type, string description, Func<MulticastMembership, T, MulticastMembership> with) =>
        new Setting<MulticastMembership, T>("listener.NAME.datagram.multicast[]", key, type, null, description, with)
        {
            Phase = HandlePhase.PreListen,
        };
}
