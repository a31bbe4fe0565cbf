using System.Globalization;
using Supervisor.Core.Diagnosis;
using Supervisor.Linux.Kernel;

namespace Supervisor.Linux.Diagnosis;

/// <summary>Counters of this thread's network namespace and bounds of the host: proc_pid_net(5), proc_sys_fs(5), tcp(7).</summary>
internal static class HostReader
{
    /// <summary>Reads them; what this kernel does not show is null.</summary>
    public static HostSample Read()
    {
        var extended = CounterTable.OfTcp();
        var sockets = Sockets("/proc/thread-self/net/sockstat");
        var files = (Sysctl.Read("fs.file-nr") ?? "").Split('\t', ' ');
        return new HostSample
        {
            CookiesSent = extended.Find("SyncookiesSent"),
            ListenOverflows = extended.Find("ListenOverflows"),
            ListenDrops = extended.Find("ListenDrops"),
            TimeWait = sockets.Find("tw"),
            Orphans = sockets.Find("orphan"),
            TcpPages = sockets.Find("mem"),
            TcpPagesLimit = Number((Sysctl.Read("net.ipv4.tcp_mem") ?? "").Split('\t', ' ')[^1]),
            Files = Number(files[0]),
            FilesLimit = Number(files[^1]),
            Tracked = Sysctl.ReadNumber("net.netfilter.nf_conntrack_count"),
            TrackedLimit = Sysctl.ReadNumber("net.netfilter.nf_conntrack_max"),
            MaxBacklog = Sysctl.ReadNumber("net.core.somaxconn"),
            MaxSynBacklog = Sysctl.ReadNumber("net.ipv4.tcp_max_syn_backlog"),
            SynCookies = Sysctl.ReadNumber("net.ipv4.tcp_syncookies"),
        };
    }

    /// <summary>The line "TCP: inuse 5 orphan 0 tw 10 alloc 8 mem 1".</summary>
    private static CounterTable Sockets(string path)
    {
        var words = CounterTable.Lines(path).FirstOrDefault(line => line.StartsWith("TCP:", StringComparison.Ordinal))?.Split(' ') ?? [];
        return new CounterTable([.. words.Skip(1).Chunk(2).Where(pair => pair.Length == 2).Select(pair => (pair[0], pair[1]))]);
    }

    private static long? Number(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
