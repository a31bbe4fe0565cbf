using System.Globalization;

namespace Supervisor.Core.Diagnosis;

/// <summary>Findings about the network namespace and the host.</summary>
internal static class HostRules
{
    private const double AlmostFull = 0.95;

    /// <summary>The findings.</summary>
    public static IEnumerable<Finding> Of(KernelLook first, KernelLook second)
    {
        var (before, now) = (first.Host, second.Host);
        var seconds = (second.At - first.At).TotalSeconds;
        if (now.CookiesSent - before.CookiesSent is > 0 and var cookies && seconds > 0)
        {
            yield return new Finding(
                FindingCode.SynCookies, FindingSeverity.Warning,
                "the kernel answers handshakes with SYN cookies: a SYN queue in this network namespace is full",
                "ss -Htn state syn-recv shows the senders: filter them, or raise listen.backlog if they are clients",
                [
                    string.Create(CultureInfo.InvariantCulture, $"{cookies / seconds:0} cookies per second, {now.CookiesSent} in total"),
                    string.Create(CultureInfo.InvariantCulture, $"net.ipv4.tcp_syncookies = {now.SynCookies}"),
                ]);
        }

        if (IsAlmostFull(now.Tracked, now.TrackedLimit))
        {
            yield return Bound(
                FindingCode.ConnectionTrackingFull, "the connection tracking table", now.Tracked, now.TrackedLimit,
                $"sysctl -w net.netfilter.nf_conntrack_max={now.TrackedLimit * 2}");
        }

        if (IsAlmostFull(now.TcpPages, now.TcpPagesLimit))
        {
            yield return Bound(
                FindingCode.TcpMemoryFull, "the memory for TCP, in pages,", now.TcpPages, now.TcpPagesLimit,
                "sysctl net.ipv4.tcp_mem; ss -tm shows the largest queues");
        }

        if (IsAlmostFull(now.Files, now.FilesLimit))
        {
            yield return Bound(
                FindingCode.FileTableFull, "the host's table of open files", now.Files, now.FilesLimit,
                $"sysctl -w fs.file-max={now.FilesLimit * 2}");
        }
    }

    private static bool IsAlmostFull(long? used, long? limit) => used is { } some && limit is > 0 && some >= limit * AlmostFull;

    private static Finding Bound(FindingCode code, string what, long? used, long? limit, string advice) => new(
        code, FindingSeverity.Critical, $"{what} is almost full: {used} of {limit}", advice,
        [string.Create(CultureInfo.InvariantCulture, $"{used} of {limit}")]);
}
