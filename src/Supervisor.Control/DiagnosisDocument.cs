namespace Supervisor.Control;

/// <summary>Where connections or datagrams wait or are lost: <c>GET /v1/diagnose</c>.</summary>
/// <param name="At">When the second look was taken.</param>
/// <param name="IntervalMs">The time between the two looks in milliseconds.</param>
/// <param name="Verdict">The result in one sentence.</param>
/// <param name="Listeners">The listeners.</param>
/// <param name="Host">The network namespace and the host.</param>
public sealed record DiagnosisDocument(
    DateTimeOffset At, long IntervalMs, string Verdict, IReadOnlyList<ListenerDiagnosisDocument> Listeners, HostDiagnosisDocument Host);

/// <summary>One listener in a diagnosis.</summary>
/// <param name="Name">Its name; without a daemon its address.</param>
/// <param name="Kind">Its scheme.</param>
/// <param name="Address">Its effective address; null without a socket.</param>
/// <param name="Findings">What was found, the most serious first.</param>
/// <param name="SynQueue">Handshakes in progress; null unless it is TCP.</param>
/// <param name="AcceptQueue">Connections that wait for accept(); null for a datagram socket.</param>
/// <param name="ReceiveQueue">Bytes that wait in the receive buffer; null unless it is a datagram socket.</param>
/// <param name="Workers">The workers of its services.</param>
/// <param name="Connections">The accepted connections; null for a datagram socket.</param>
public sealed record ListenerDiagnosisDocument(
    string Name, string Kind, string? Address, IReadOnlyList<FindingDocument> Findings, SynQueueDocument? SynQueue,
    AcceptQueueDocument? AcceptQueue, ReceiveQueueDocument? ReceiveQueue, IReadOnlyList<WorkerDiagnosisDocument> Workers,
    ConnectionSumDocument? Connections);

/// <summary>One thing that was found.</summary>
/// <param name="Code">What; docs/reference/diagnosis.md lists the codes.</param>
/// <param name="Severity">One of info, warning, critical.</param>
/// <param name="Text">One sentence.</param>
/// <param name="Advice">What can be done.</param>
/// <param name="Evidence">The facts that show it.</param>
public sealed record FindingDocument(string Code, string Severity, string Text, string Advice, IReadOnlyList<string> Evidence)
{
    /// <summary>The worker that it is about; null if it is not about one.</summary>
    public FindingWorkerDocument? Worker { get; init; }

    /// <summary>The shard that it is about; null if it is not about one.</summary>
    public int? Shard { get; init; }
}

/// <summary>The worker that a finding is about; slot and generation are null without a daemon.</summary>
public sealed record FindingWorkerDocument(string Service, int? Slot, int? Generation, int Pid);

/// <summary>Handshakes in progress.</summary>
/// <param name="Length">Sockets in SYN_RECV.</param>
/// <param name="Limit">From how many on the kernel drops or sends cookies; null if unknown.</param>
public sealed record SynQueueDocument(int Length, long? Limit);

/// <summary>The accept queues of all shards together.</summary>
/// <param name="Length">Connections that wait; null if the kernel does not show it.</param>
/// <param name="Limit">How many may wait.</param>
/// <param name="DropsTotal">What the kernel has dropped so far; null if it does not show it.</param>
/// <param name="DropsPerS">What it dropped between the looks, for each second.</param>
public sealed record AcceptQueueDocument(long? Length, long? Limit, long? DropsTotal, double DropsPerS)
{
    /// <summary>How long the oldest connection has waited, in milliseconds; null if none waits or that is unknown.</summary>
    public long? LongestWaitMs { get; init; }
}

/// <summary>The receive buffers of all sockets together.</summary>
/// <param name="Bytes">Bytes that wait; null if the kernel does not show it.</param>
/// <param name="Limit">SO_RCVBUF; null for a UNIX socket.</param>
/// <param name="DropsTotal">Datagrams that the kernel has dropped so far; null if it does not show it.</param>
/// <param name="DropsPerS">What it dropped between the looks, for each second.</param>
public sealed record ReceiveQueueDocument(long? Bytes, long? Limit, long? DropsTotal, double DropsPerS);

/// <summary>One worker in a diagnosis. What is not visible is null.</summary>
/// <param name="Pid">Its main process.</param>
/// <param name="Slot">Its slot; null without a daemon.</param>
/// <param name="Generation">Its generation; null without a daemon.</param>
/// <param name="Connections">Open connections of this listener.</param>
/// <param name="AcceptedPerS">
/// Connections accepted between the looks, for each second. Connections that were closed before the second look are not counted.
/// </param>
/// <param name="State">Its state as in <c>status</c>; null without a daemon.</param>
/// <param name="Descriptors">Of its process that is closest to the limit.</param>
/// <param name="CpuPercent">Processor time between the looks, in percent of one processor.</param>
public sealed record WorkerDiagnosisDocument(
    int Pid, int? Slot, int? Generation, int? Connections, double? AcceptedPerS, string? State, DescriptorsDocument? Descriptors,
    double? CpuPercent)
{
    /// <summary>Its service; without a daemon the command of the process.</summary>
    public string? Service { get; init; }

    /// <summary>One of running, waiting, blocked, stopped, traced, exited.</summary>
    public string? Activity { get; init; }

    /// <summary>The system call in which its first thread waits.</summary>
    public string? Call { get; init; }

    /// <summary>The same as text.</summary>
    public string? Doing { get; init; }
}

/// <summary>Descriptors of a process.</summary>
/// <param name="Used">Open ones.</param>
/// <param name="Limit">The soft RLIMIT_NOFILE.</param>
public sealed record DescriptorsDocument(long Used, long Limit);

/// <summary>The accepted connections of a listener.</summary>
/// <param name="Count">How many.</param>
/// <param name="ReceiveQueuedBytes">Bytes that the workers have not read.</param>
/// <param name="SendQueuedBytes">Bytes that the clients have not acknowledged.</param>
/// <param name="Retransmitting">Connections whose client has not answered since a timeout.</param>
/// <param name="ZeroWindow">Connections with data to send whose client offers no window.</param>
public sealed record ConnectionSumDocument(int Count, long ReceiveQueuedBytes, long SendQueuedBytes, int Retransmitting, int ZeroWindow);

/// <summary>The network namespace and the host. A rate that the kernel does not show is null.</summary>
/// <param name="Findings">What was found.</param>
/// <param name="SynCookiesPerS">SYN cookies, in each second.</param>
/// <param name="ListenOverflowsPerS">Connections that found an accept queue full, at any listener.</param>
/// <param name="TimeWait">TCP connections in TIME_WAIT.</param>
/// <param name="Orphans">TCP connections without a process.</param>
public sealed record HostDiagnosisDocument(
    IReadOnlyList<FindingDocument> Findings, double? SynCookiesPerS, double? ListenOverflowsPerS, long? TimeWait, long? Orphans)
{
    /// <summary>The bounds that apply to all listeners.</summary>
    public required HostBoundsDocument Bounds { get; init; }
}

/// <summary>Bounds of the network namespace and the host, each with its use; null: this kernel does not show it.</summary>
/// <param name="Somaxconn">net.core.somaxconn.</param>
/// <param name="TcpMaxSynBacklog">net.ipv4.tcp_max_syn_backlog.</param>
/// <param name="TcpSyncookies">net.ipv4.tcp_syncookies.</param>
/// <param name="TcpMemoryPages">Pages that TCP uses, and the third value of net.ipv4.tcp_mem.</param>
/// <param name="Files">Open files, and fs.file-max.</param>
/// <param name="TrackedConnections">Tracked connections, and net.netfilter.nf_conntrack_max; null without connection tracking.</param>
public sealed record HostBoundsDocument(
    long? Somaxconn, long? TcpMaxSynBacklog, long? TcpSyncookies, BoundDocument? TcpMemoryPages, BoundDocument? Files,
    BoundDocument? TrackedConnections);

/// <summary>A bound.</summary>
/// <param name="Used">What is used.</param>
/// <param name="Limit">The bound.</param>
public sealed record BoundDocument(long Used, long? Limit);
