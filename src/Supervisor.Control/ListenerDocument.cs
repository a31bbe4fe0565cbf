using System.Text.Json.Serialization;

namespace Supervisor.Control;

/// <summary>One listener, as <c>GET /v1/listeners</c> shows it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Kind">Its scheme: tcp, udp, mptcp, unix, unix-dgram, unix-seqpacket, vsock; other: a descriptor from <c>put</c> that
/// is not a listener.</param>
/// <param name="State">One of listening, bound (a datagram socket, or a given one that does not listen), held (of kind other),
/// failed.</param>
/// <param name="Requested">The requested address.</param>
/// <param name="Effective">The address from getsockname(); null without a socket.</param>
/// <param name="Inode">The socket's inode number; null without a socket.</param>
/// <param name="Fd">The daemon's descriptor; null without a socket.</param>
/// <param name="Shards">Number of sockets.</param>
/// <param name="Backlog">The accept queue's limit; null for a datagram socket.</param>
/// <param name="Queue">The accept queue, summed over all shards; null for a datagram socket.</param>
/// <param name="Options">Every option of this kind of socket.</param>
/// <param name="Origin">One of created, inherited-systemd, inherited-upgrade, recovered, given.</param>
/// <param name="Drift">Whether a process that holds the shared socket has changed it, and the daemon has not repaired it.</param>
/// <param name="Failure">Why there is no socket; null with a socket.</param>
/// <param name="Services">Names of the services that list it.</param>
public sealed record ListenerDocument(
    string Name,
    string Kind,
    string State,
    string Requested,
    string? Effective,
    ulong? Inode,
    int? Fd,
    int Shards,
    BacklogDocument? Backlog,
    QueueDocument? Queue,
    IReadOnlyList<OptionDocument> Options,
    string Origin,
    bool Drift,
    FailureDocument? Failure,
    IReadOnlyList<string> Services)
{
    /// <summary>Options that other holders of the shared socket changed, and that are not repaired yet; null if not reported.</summary>
    public IReadOnlyList<OptionDocument>? Drifted { get; init; }

    /// <summary>Connections or datagrams that the kernel dropped at the sockets; null if the kernel does not show it.</summary>
    public long? Drops { get; init; }

    /// <summary>What this daemon saw dropped, by the generation that was in charge and the shard; null if not reported.</summary>
    public IReadOnlyList<DropPartDocument>? DropsBy { get; init; }

    /// <summary>How the kernel divides new connections between generations; null if the configuration does not ask for that.</summary>
    public SteeringDocument? Steering { get; init; }

    /// <summary>
    /// By what the kernel selects among the listener's sockets; null for a listener with one socket and without steering.
    /// </summary>
    public SelectionDocument? Selection { get; init; }

    /// <summary>The sockets by shard; null if not reported.</summary>
    public IReadOnlyList<ShardDocument>? Sockets { get; init; }
}

/// <summary>One socket of a listener.</summary>
/// <param name="Shard">The shard's number, from 0.</param>
/// <param name="Inode">The inode number.</param>
/// <param name="Fd">The daemon's descriptor.</param>
/// <param name="Queue">The accept queue; null for a datagram socket.</param>
/// <param name="Workers">SERVICE/SLOT of the workers that have it.</param>
public sealed record ShardDocument(int Shard, ulong Inode, int Fd, QueueDocument? Queue, IReadOnlyList<string> Workers)
{
    /// <summary>
    /// One of serving; waiting (a new socket, which gets connections when a worker serves it); leaving (the daemon closes it when
    /// its queue is empty).
    /// </summary>
    public string? State { get; init; }

    /// <summary>Connections or datagrams that the kernel dropped at this socket; null if it does not show it.</summary>
    public long? Drops { get; init; }

    /// <summary>The generation of the worker that has the socket, or had it last; null without steering.</summary>
    public int? Generation { get; init; }
}

/// <summary>By what the kernel selects among the sockets of an address.</summary>
/// <param name="By">
/// One of bpf (listend's program); classic-bpf (a program without maps, for shards); hash (the kernel's own); none (all workers share one
/// socket).
/// </param>
/// <param name="Reason">Why it is not bpf, with the capability or the kernel that is missing; null if it is.</param>
public sealed record SelectionDocument(string By, string? Reason)
{
    /// <summary>
    /// Whether a program selects now. Shards need it only while their number changes: otherwise the kernel's hash spreads over all.
    /// </summary>
    public bool Active { get; init; }

    /// <summary>The listener; only in the output of <c>listend check</c>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Name { get; init; }
}

/// <summary>How the kernel divides new connections between generations.</summary>
/// <param name="Mode">One of generation; none (the kernel cannot, see <see cref="Reason"/>: all workers share the socket).</param>
/// <param name="ActiveGeneration">The generation that gets new connections, or most of them; null before the first worker.</param>
/// <param name="Flows">The recorded flows; null without affinity.</param>
/// <param name="Shares">What each generation gets and has got, ascending by generation.</param>
public sealed record SteeringDocument(
    string Mode, int? ActiveGeneration, FlowsDocument? Flows, IReadOnlyList<ShareDocument> Shares)
{
    /// <summary>Why the kernel does not steer; null if it does.</summary>
    public string? Reason { get; init; }

    /// <summary>By what datagrams find their worker: flow or quic-cid; null without affinity.</summary>
    public string? Affinity { get; init; }
}

/// <summary>The flows that the kernel records.</summary>
/// <param name="Live">Flows that had a datagram within <c>affinity.idle</c>.</param>
/// <param name="Limit">The most that are recorded.</param>
public sealed record FlowsDocument(int Live, int Limit)
{
    /// <summary>How many the kernel has dropped to make room for others, alive or not.</summary>
    public long Evicted { get; init; }
}

/// <summary>What one generation gets.</summary>
/// <param name="Generation">The generation.</param>
/// <param name="Percent">Its part of new connections, in steps of 0.1.</param>
/// <param name="Selected">How many connections, flows (with affinity) or datagrams the kernel has given to it.</param>
public sealed record ShareDocument(int Generation, double Percent, long Selected)
{
    /// <summary>Its living flows; null without affinity.</summary>
    public int? Flows { get; init; }
}

/// <summary>Connections or datagrams that the kernel dropped.</summary>
/// <param name="Generation">The generation that was in charge; null without a service.</param>
/// <param name="Shard">The shard's number, from 0.</param>
/// <param name="Count">How many.</param>
public sealed record DropPartDocument(int? Generation, int Shard, long Count);

/// <summary>The accept queue's limit.</summary>
/// <param name="Requested">The argument of listen().</param>
/// <param name="Effective">The kernel's value; null if the kernel does not show it.</param>
public sealed record BacklogDocument(long Requested, long? Effective);

/// <summary>The accept queue now, the bytes of a FIFO or the messages of a message queue.</summary>
/// <param name="Length">Connections that wait for accept(), or what waits to be read; null if the kernel does not show it.</param>
/// <param name="Limit">How many of them may wait.</param>
public sealed record QueueDocument(long? Length, long? Limit);

/// <summary>One socket option.</summary>
/// <param name="Name">The kernel's name, such as SO_RCVBUF.</param>
/// <param name="Level">The kernel's name of the level.</param>
/// <param name="Phase">When the option takes effect.</param>
/// <param name="Requested">The requested value in the unit of getsockopt(2); null if none was requested.</param>
/// <param name="Effective">The value that the kernel returned afterwards.</param>
/// <param name="Verdict">One of exact, adjusted, ignored, refused, default, inherited, drifted.</param>
/// <param name="Setting">The name of the setting in the configuration.</param>
public sealed record OptionDocument(
    string Name,
    string Level,
    string Phase,
    ScalarValue? Requested,
    ScalarValue? Effective,
    string Verdict,
    string? Setting);

/// <summary>Why an address cannot be bound; errno and cause are null if it can.</summary>
/// <param name="Address">The address.</param>
/// <param name="Bindable">Whether the address can be bound here and now.</param>
/// <param name="Errno">The name of the kernel's error.</param>
/// <param name="Cause">The cause of the error.</param>
/// <param name="Retry">Whether the conflict can clear without a change.</param>
/// <param name="Owners">The processes that hold the conflicting sockets.</param>
/// <param name="Advice">What to do.</param>
public sealed record FailureDocument(
    string Address,
    bool Bindable,
    string? Errno,
    string? Cause,
    bool Retry,
    IReadOnlyList<OwnerDocument> Owners,
    string Advice)
{
    /// <summary>The configured listener's name, or <c>daemon.metrics</c>; absent for an address without a configuration.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Name { get; init; }

    /// <summary>The file that has the address; absent without a file.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? File { get; init; }

    /// <summary>Line in <see cref="File"/>, from 1.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Line { get; init; }

    /// <summary>Column in <see cref="File"/>, from 1.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Column { get; init; }

    /// <summary>The reason in one sentence; empty if the address can be bound.</summary>
    public string Verdict { get; set; } = "";

    /// <summary>Notes on an address that can be bound.</summary>
    public IReadOnlyList<string> Warnings { get; set; } = [];

    /// <summary>
    /// By what the kernel would select among several sockets of the address here; absent for an address that cannot have several.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public SelectionDocument? Selection { get; init; }

    /// <summary>TIME_WAIT: milliseconds until the last connection has left that state; null otherwise.</summary>
    public long? ClearsInMs { get; init; }
}

/// <summary>A process that holds a conflicting socket.</summary>
public sealed record OwnerDocument(int? Pid, string? Command, string? Unit, long? Uid, string? Address, string? State, ulong? Inode)
{
    /// <summary>The listener of listend that the socket is; null if it is none.</summary>
    public string? Listener { get; init; }

    /// <summary>The services that use that listener; null if there are none.</summary>
    public string? Service { get; init; }
}
