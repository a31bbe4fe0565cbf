namespace Supervisor.Core.Diagnosis;

/// <summary>What the kernel showed at one moment. Never changed after it was taken.</summary>
public sealed record KernelLook
{
    /// <summary>When, on a monotonic clock.</summary>
    public required TimeSpan At { get; init; }

    /// <summary>The sockets of listeners by inode number. A socket that the kernel does not show is missing.</summary>
    public required IReadOnlyDictionary<ulong, SocketSample> Sockets { get; init; }

    /// <summary>The connections of each listener by name, accepted ones and those in the accept queue.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<ConnectionSample>> Connections { get; init; } =
        new Dictionary<string, IReadOnlyList<ConnectionSample>>();

    /// <summary>How many handshakes are in progress at each listener, by name: sockets in SYN_RECV.</summary>
    public IReadOnlyDictionary<string, int> HalfOpen { get; init; } = new Dictionary<string, int>();

    /// <summary>Workers by main process.</summary>
    public IReadOnlyDictionary<int, WorkerSample> Workers { get; init; } = new Dictionary<int, WorkerSample>();

    /// <summary>The network namespace and the host.</summary>
    public HostSample Host { get; init; } = new();

    /// <summary>How many connections were counted without being examined, because there are too many.</summary>
    public int Unexamined { get; init; }

    /// <summary>The connections of a listener.</summary>
    public IReadOnlyList<ConnectionSample> Of(ListenerSubject listener) => Connections.GetValueOrDefault(listener.Name) ?? [];
}

/// <summary>One socket of a listener at one moment.</summary>
/// <param name="Length">Connections in the accept queue; of a datagram socket the bytes in the receive buffer.</param>
/// <param name="Limit">The accept queue's limit; of a datagram socket SO_RCVBUF. 0 if unknown.</param>
/// <param name="Drops">SK_MEMINFO_DROPS: what the kernel has dropped there so far; null if unknown.</param>
public readonly record struct SocketSample(long Length, long Limit, long? Drops);

/// <summary>Counters of the network namespace and bounds of the host; null: this kernel does not show them.</summary>
public sealed record HostSample
{
    /// <summary>TcpExt SyncookiesSent of /proc/net/netstat.</summary>
    public long? CookiesSent { get; init; }

    /// <summary>TcpExt ListenOverflows: connections that found an accept queue full.</summary>
    public long? ListenOverflows { get; init; }

    /// <summary>TcpExt ListenDrops: all connections that were dropped at a listener.</summary>
    public long? ListenDrops { get; init; }

    /// <summary>TCP connections in TIME_WAIT (/proc/net/sockstat).</summary>
    public long? TimeWait { get; init; }

    /// <summary>TCP connections without a process.</summary>
    public long? Orphans { get; init; }

    /// <summary>Pages of memory that TCP uses, on the whole host.</summary>
    public long? TcpPages { get; init; }

    /// <summary>The third value of net.ipv4.tcp_mem, in pages.</summary>
    public long? TcpPagesLimit { get; init; }

    /// <summary>Open files on the whole host (fs.file-nr).</summary>
    public long? Files { get; init; }

    /// <summary>fs.file-max.</summary>
    public long? FilesLimit { get; init; }

    /// <summary>Tracked connections; null without connection tracking.</summary>
    public long? Tracked { get; init; }

    /// <summary>net.netfilter.nf_conntrack_max.</summary>
    public long? TrackedLimit { get; init; }

    /// <summary>net.core.somaxconn.</summary>
    public long? MaxBacklog { get; init; }

    /// <summary>net.ipv4.tcp_max_syn_backlog.</summary>
    public long? MaxSynBacklog { get; init; }

    /// <summary>net.ipv4.tcp_syncookies: 0 never, 1 when a SYN queue is full, 2 always.</summary>
    public long? SynCookies { get; init; }
}
