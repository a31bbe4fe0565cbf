using System.Globalization;

namespace Supervisor.Core.Listeners;

/// <summary>
/// The names of netlink families as systemd.socket(5) has them, with their numbers of linux/netlink.h, and of those that came later.
/// </summary>
internal static class NetlinkFamilies
{
    /// <summary>MAX_LINKS, linux/netlink.h: a family's number is below it.</summary>
    private const int Most = 32;

    private static readonly Dictionary<string, int> Numbers = new(StringComparer.Ordinal)
    {
        ["route"] = 0,
        ["firewall"] = 3,
        ["inet-diag"] = 4,
        ["nflog"] = 5,
        ["xfrm"] = 6,
        ["selinux"] = 7,
        ["iscsi"] = 8,
        ["audit"] = 9,
        ["fib-lookup"] = 10,
        ["connector"] = 11,
        ["netfilter"] = 12,
        ["ip6-fw"] = 13,
        ["dnrtmsg"] = 14,
        ["kobject-uevent"] = 15,
        ["generic"] = 16,
        ["scsitransport"] = 18,
        ["ecryptfs"] = 19,
        ["rdma"] = 20,
        ["crypto"] = 21,
        ["smc"] = 22,
    };

    /// <summary>All names, for messages.</summary>
    public static string Names => string.Join(", ", Numbers.Keys);

    /// <summary>The number of a family, by name or number; null if it is neither.</summary>
    public static int? Find(string text) => Numbers.TryGetValue(text, out var known) ? known
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < Most ? number
        : null;

    /// <summary>A netlink address as a user writes it.</summary>
    public static string Text(ListenAddress address)
    {
        var name = Numbers.FirstOrDefault(family => family.Value == address.Family).Key;
        return string.Create(CultureInfo.InvariantCulture, $"netlink://{name ?? $"{address.Family}"}/{address.Groups}");
    }
}
