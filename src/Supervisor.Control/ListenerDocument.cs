using System.Text.Json.Serialization;

namespace Supervisor.Control;

/// <summary>One listener, as <c>GET /v1/listeners</c> shows it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Kind">Its scheme: tcp, udp, mptcp, unix, unix-dgram, unix-seqpacket, vsock; other: a descriptor put by the broker that
/// no listener can be.</param>
/// <param name="State">One of listening, bound (a datagram socket, or a given one that does not listen), held (of kind other),
/// failed.</param>
/// <param name="Requested">The address asked for.</param>
/// <param name="Effective">The address from getsockname(); null where there is no socket.</param>
/// <param name="Inode">The socket's inode number; null where there is no socket.</param>
/// <param name="Fd">The daemon's descriptor; null where there is no socket.</param>
/// <param name="Shards">Number of sockets.</param>
/// <param name="Backlog">The accept queue's limit; null for a datagram socket.</param>
/// <param name="Queue">The accept queue, of all shards together; null for a datagram socket.</param>
/// <param name="Options">Every option that a socket of this kind has.</param>
/// <param name="Origin">One of created, inherited-systemd, inherited-upgrade, recovered, given.</param>
/// <param name="Drift">Whether the shared socket is otherwise than it was because a holder of it changed it.</param>
/// <param name="Failure">Why there is no socket; null where there is one.</param>
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
    /// <summary>What holders of the shared socket changed, and is not as it was yet; null where nobody says.</summary>
    public IReadOnlyList<OptionDocument>? Drifted { get; init; }

    /// <summary>Its sockets by shard; null where nobody says.</summary>
    public IReadOnlyList<ShardDocument>? Sockets { get; init; }
}

/// <summary>One socket of a listener.</summary>
/// <param name="Shard">Its number, from 0.</param>
/// <param name="Inode">Its inode number.</param>
/// <param name="Fd">The daemon's descriptor.</param>
/// <param name="Queue">Its accept queue; null for a datagram socket.</param>
/// <param name="Workers">SERVICE/SLOT of the workers that have it.</param>
public sealed record ShardDocument(int Shard, ulong Inode, int Fd, QueueDocument? Queue, IReadOnlyList<string> Workers)
{
    /// <summary>
    /// One of serving; waiting (a new one, which gets connections once a worker serves it); leaving (closed when nobody waits in it any
    /// more).
    /// </summary>
    public string? State { get; init; }
}

/// <summary>The accept queue's limit.</summary>
/// <param name="Requested">As given to listen().</param>
/// <param name="Effective">As the kernel keeps it; null where the kernel does not show it.</param>
public sealed record BacklogDocument(long Requested, long? Effective);

/// <summary>The accept queue now.</summary>
/// <param name="Length">Connections that wait for accept(); null where the kernel does not show it.</param>
/// <param name="Limit">How many may wait.</param>
public sealed record QueueDocument(long? Length, long? Limit);

/// <summary>One socket option.</summary>
/// <param name="Name">The kernel's name, such as SO_RCVBUF.</param>
/// <param name="Level">The kernel's name of the level.</param>
/// <param name="Phase">The moment at which it acts.</param>
/// <param name="Requested">As asked for, in the unit of getsockopt; null where nothing was.</param>
/// <param name="Effective">As read back.</param>
/// <param name="Verdict">One of exact, adjusted, ignored, refused, inherited, drifted.</param>
/// <param name="Setting">The configuration's name of it.</param>
public sealed record OptionDocument(
    string Name,
    string Level,
    string Phase,
    ScalarValue? Requested,
    ScalarValue? Effective,
    string Verdict,
    string? Setting);

/// <summary>Why an address cannot be bound; with null errno and cause, that it can.</summary>
/// <param name="Address">The address.</param>
/// <param name="Bindable">Whether it can be bound here and now.</param>
/// <param name="Errno">The kernel's answer by name.</param>
/// <param name="Cause">The cause behind it.</param>
/// <param name="Retry">Whether it can clear by itself.</param>
/// <param name="Owners">Who holds the conflicting sockets.</param>
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
    /// <summary>Of a configuration's listener: its name, or <c>daemon.metrics</c>; absent where an address is asked about.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Name { get; init; }

    /// <summary>The file in which its address stands; absent where there is none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? File { get; init; }

    /// <summary>Line in <see cref="File"/>, from 1.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Line { get; init; }

    /// <summary>Column in <see cref="File"/>, from 1.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Column { get; init; }

    /// <summary>What is so, in one sentence; empty where it can be bound.</summary>
    public string Verdict { get; init; } = "";

    /// <summary>Where it can be bound: what is worth knowing all the same.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>TIME_WAIT: milliseconds until the last of it has passed; null otherwise.</summary>
    public long? ClearsInMs { get; init; }
}

/// <summary>A process that holds a conflicting socket.</summary>
public sealed record OwnerDocument(int? Pid, string? Command, string? Unit, long? Uid, string? Address, string? State, ulong? Inode);
