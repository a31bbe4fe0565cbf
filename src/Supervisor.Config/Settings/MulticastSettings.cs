using System.Net;
using Supervisor.Core.Listeners;

namespace Supervisor.Config.Settings;

/// <summary>One element of <c>datagram.multicast</c>.</summary>
internal static class MulticastSettings
{
    /// <summary>An element before its group is known.</summary>
    public static readonly MulticastMembership Blank = new(IPAddress.None, null, null);

    public static readonly SectionTable<MulticastMembership> Table = new(
    [
        Of("group",
            SettingTypes.NumericAddress, "the group to join, a multicast address of the listener's family", (s, v) => s with { Group = v })
            with { IsRequired = true },
        Of("interface",
            SettingTypes.Interface, "the interface on which to join; unset: the kernel's choice", (s, v) => s with { Interface = v }),
        Of("source", SettingTypes.NumericAddress, "the one sender to hear; unset: any", (s, v) => s with { Source = v }),
    ]);

    private static Setting<MulticastMembership> Of<T>(
        string key, SettingType<T> type, string description, Func<MulticastMembership, T, MulticastMembership> with) =>
        new Setting<MulticastMembership, T>("listener.NAME.datagram.multicast[]", key, type, null, description, with)
        {
            Phase = HandlePhase.PreListen,
        };
}
