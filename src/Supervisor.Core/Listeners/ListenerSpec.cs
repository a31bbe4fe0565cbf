using System.Collections.Immutable;
using System.Net;
using System.Text.Json.Serialization;

namespace Supervisor.Core.Listeners;

/// <summary>
/// The specification of one listener: <c>[listener.NAME]</c>. Null means the kernel's own value: nothing is set. The groups
/// follow the steps in which the settings work.
/// </summary>
public sealed record ListenerSpec
{
    // Thousands of listeners set nothing in most of these groups: they share one object.
    private static readonly BindOptions DefaultBind = new();
    private static readonly BufferOptions DefaultBuffers = new();
    private static readonly ListenOptions DefaultListen = new();
    private static readonly AcceptedOptions DefaultAccepted = new();
    private static readonly UnixOptions DefaultUnix = new();
    private static readonly DatagramOptions DefaultDatagram = new();
    private static readonly OpenedOptions DefaultOpened = new();

    /// <summary>The name in the configuration, in LISTEN_FDNAMES and in everything that users see.</summary>
    public required string Name { get; init; }

    /// <summary>The configured address.</summary>
    public required ListenAddress Address { get; init; }

    /// <summary>
    /// Number of SO_REUSEPORT sockets; 1 is one plain socket. If the listener is steered, each worker has a socket of its own, and
    /// this is 1.
    /// </summary>
    public int Shards
    {
        get => IsSteered ? 1 : field;
        init;
    } = 1;

    /// <summary>How new connections are divided between generations.</summary>
    public SteeringMode Steering { get; init; }

    /// <summary>How datagrams stay with their worker; null: they do not.</summary>
    public AffinityOptions? Affinity { get; init; }

    /// <summary>Whether each worker has a socket of its own. Affinity needs that.</summary>
    public bool IsSteered => Steering == SteeringMode.Generation || Affinity is not null;

    /// <summary>Whether a worker's changes to the shared socket are undone.</summary>
    public bool Enforce { get; init; } = true;

    /// <summary>The file of the network namespace of its sockets; null: the daemon's own.</summary>
    public string? NetworkNamespace { get; init; }

    /// <summary>Before bind().</summary>
    public BindOptions Bind { get; init; } = DefaultBind;

    /// <summary>Before listen(): kernel memory.</summary>
    public BufferOptions Buffers { get; init; } = DefaultBuffers;

    /// <summary>At listen().</summary>
    public ListenOptions Listen { get; init; } = DefaultListen;

    /// <summary>What accepted connections inherit.</summary>
    public AcceptedOptions Accepted { get; init; } = DefaultAccepted;

    /// <summary>The socket file of a UNIX path.</summary>
    public UnixOptions Unix { get; init; } = DefaultUnix;

    /// <summary>Datagram sockets.</summary>
    public DatagramOptions Datagram { get; init; } = DefaultDatagram;

    /// <summary>FIFOs, message queues and special files.</summary>
    public OpenedOptions Opened { get; init; } = DefaultOpened;

    /// <summary>Further socket options, in the order of their calls within a phase.</summary>
    public ImmutableArray<CustomOption> Options { get; init; } = [];

    /// <summary>How long a bind is retried for causes that can clear by themselves.</summary>
    public TimeSpan ConflictWait { get; init; }

    /// <summary>Who may take the handle from the broker: <c>user:NAME</c>, <c>group:NAME</c>.</summary>
    public ImmutableArray<string> Allow { get; init; } = [];

    /// <summary>Whether its sockets have SO_REUSEADDR.</summary>
    public bool HasReuseAddress => Bind.ReuseAddress ?? (Address.Kind.SpeaksTcp() || Address.Kind == ListenerKind.Sctp);

    /// <summary>Whether its sockets have SO_REUSEPORT: configured, or because there are several.</summary>
    public bool HasReusePort => Bind.ReusePort || Shards > 1 || IsSteered;

    /// <summary>By value, lists included: a reload does not touch an unchanged listener.</summary>
    public bool Equals(ListenerSpec? other) => other is not null
        && Name == other.Name && Address == other.Address && Shards == other.Shards && Enforce == other.Enforce
        && Steering == other.Steering && Affinity == other.Affinity
        && Bind == other.Bind && Buffers == other.Buffers && Listen == other.Listen && Accepted == other.Accepted
        && Unix == other.Unix && Datagram == other.Datagram && Opened == other.Opened && ConflictWait == other.ConflictWait
        && NetworkNamespace == other.NetworkNamespace && Options.SequenceEqual(other.Options) && Allow.SequenceEqual(other.Allow);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Name, Address, Shards, Bind, Buffers, Listen, Accepted, Unix);
}

/// <summary><c>bind</c>: who may own the address.</summary>
public sealed record BindOptions
{
    /// <summary>SO_REUSEADDR; null: true for TCP, false for the others.</summary>
    public bool? ReuseAddress { get; init; }

    /// <summary>SO_REUSEPORT.</summary>
    public bool ReusePort { get; init; }

    /// <summary>IPV6_V6ONLY; always set on an IPv6 socket, because net.ipv6.bindv6only changes the default.</summary>
    public bool IPv6Only { get; init; }

    /// <summary>IP_FREEBIND.</summary>
    public bool FreeBind { get; init; }

    /// <summary>IP_TRANSPARENT.</summary>
    public bool Transparent { get; init; }

    /// <summary>SO_BINDTODEVICE: an interface's name.</summary>
    public string? Device { get; init; }

    /// <summary>SO_MARK.</summary>
    public uint? Mark { get; init; }

    /// <summary>SO_PRIORITY.</summary>
    public int? Priority { get; init; }
}

/// <summary><c>buffers</c>: kernel memory, in bytes as configured (the kernel doubles them).</summary>
public sealed record BufferOptions
{
    /// <summary>SO_RCVBUF.</summary>
    public int? Receive { get; init; }

    /// <summary>SO_SNDBUF.</summary>
    public int? Send { get; init; }

    /// <summary>By SO_RCVBUFFORCE and SO_SNDBUFFORCE, over net.core.*mem_max.</summary>
    public bool Force { get; init; }
}

/// <summary><c>listen</c>: the queues before accept().</summary>
public sealed record ListenOptions
{
    /// <summary>The accept queue's length; net.core.somaxconn caps it.</summary>
    public int Backlog { get; init; } = 4096;

    /// <summary>TCP_DEFER_ACCEPT, in whole seconds.</summary>
    public TimeSpan? DeferAccept { get; init; }

    /// <summary>TCP_FASTOPEN: length of its queue.</summary>
    public int? FastOpen { get; init; }

    /// <summary>O_NONBLOCK, set by socket() and never changed afterwards.</summary>
    public bool NonBlocking { get; init; }
}

/// <summary><c>accepted</c>: what accepted connections inherit from the listener.</summary>
public sealed record AcceptedOptions
{
    /// <summary>TCP_NODELAY.</summary>
    public bool? NoDelay { get; init; }

    /// <summary>SO_KEEPALIVE.</summary>
    public bool? KeepAlive { get; init; }

    /// <summary>TCP_KEEPIDLE, in whole seconds.</summary>
    public TimeSpan? KeepAliveIdle { get; init; }

    /// <summary>TCP_KEEPINTVL, in whole seconds.</summary>
    public TimeSpan? KeepAliveInterval { get; init; }

    /// <summary>TCP_KEEPCNT.</summary>
    public int? KeepAliveProbes { get; init; }

    /// <summary>TCP_USER_TIMEOUT, in milliseconds.</summary>
    public TimeSpan? UserTimeout { get; init; }

    /// <summary>SO_LINGER, in whole seconds; zero resets at close().</summary>
    public TimeSpan? Linger { get; init; }

    /// <summary>TCP_NOTSENT_LOWAT, in bytes.</summary>
    public int? NotSentLowWater { get; init; }

    /// <summary>TCP_CONGESTION.</summary>
    public string? Congestion { get; init; }

    /// <summary>IP_TOS and IPV6_TCLASS.</summary>
    public int? TypeOfService { get; init; }

    /// <summary>IP_TTL and IPV6_UNICAST_HOPS.</summary>
    public int? TimeToLive { get; init; }
}

/// <summary><c>unix</c>: the socket file.</summary>
public sealed record UnixOptions
{
    /// <summary>Permission bits; null: 0777 less the daemon's umask.</summary>
    public int? Mode { get; init; }

    /// <summary>Owner, by name or number.</summary>
    public string? User { get; init; }

    /// <summary>Group, by name or number.</summary>
    public string? Group { get; init; }

    /// <summary>Whether a socket file on which no process listens may be removed.</summary>
    public bool RemoveStale { get; init; }

    /// <summary>SO_PASSCRED.</summary>
    public bool? PassCredentials { get; init; }

    /// <summary>SO_PASSSEC.</summary>
    public bool? PassSecurity { get; init; }

    /// <summary>SO_PASSPIDFD.</summary>
    public bool? PassPidfd { get; init; }

    /// <summary>Permission bits of directories of the path that are missing; null: they are not created.</summary>
    public int? DirectoryMode { get; init; }

    /// <summary>Symbolic links to the path.</summary>
    public ImmutableArray<string> Symlinks { get; init; } = [];

    /// <summary>By value, the links included.</summary>
    public bool Equals(UnixOptions? other) => other is not null
        && (Mode, User, Group, RemoveStale) == (other.Mode, other.User, other.Group, other.RemoveStale)
        && (PassCredentials, PassSecurity, PassPidfd) == (other.PassCredentials, other.PassSecurity, other.PassPidfd)
        && DirectoryMode == other.DirectoryMode
        && Symlinks.SequenceEqual(other.Symlinks);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Mode, User, Group, RemoveStale, PassCredentials, DirectoryMode, Symlinks.Length);
}

/// <summary><c>fifo</c>, <c>mqueue</c> and <c>special</c>: what is opened and not bound.</summary>
public sealed record OpenedOptions
{
    /// <summary>F_SETPIPE_SZ, in bytes; the kernel rounds it up to a power of two of pages.</summary>
    public int? PipeSize { get; init; }

    /// <summary>mq_maxmsg of a message queue that listend makes.</summary>
    public int? MaxMessages { get; init; }

    /// <summary>mq_msgsize of a message queue that listend makes, in bytes.</summary>
    public int? MessageSize { get; init; }

    /// <summary>Whether a message queue is removed, with what waits in it, when the listener is closed.</summary>
    public bool RemoveOnStop { get; init; }

    /// <summary>Whether a special file is opened for writing too.</summary>
    public bool Writable { get; init; }
}

/// <summary><c>datagram</c>.</summary>
public sealed record DatagramOptions
{
    /// <summary>SO_BROADCAST.</summary>
    public bool? Broadcast { get; init; }

    /// <summary>IP_PKTINFO, IPV6_RECVPKTINFO.</summary>
    public bool? PacketInfo { get; init; }

    /// <summary>SO_TIMESTAMP, SO_TIMESTAMPNS.</summary>
    public TimestampUnit Timestamping { get; init; }

    /// <summary>Groups to join.</summary>
    public ImmutableArray<MulticastMembership> Multicast { get; init; } = [];

    /// <summary>By value, the groups included.</summary>
    public bool Equals(DatagramOptions? other) => other is not null
        && Broadcast == other.Broadcast && PacketInfo == other.PacketInfo && Timestamping == other.Timestamping
        && Multicast.SequenceEqual(other.Multicast);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Broadcast, PacketInfo, Multicast.Length);
}

/// <summary><c>datagram.timestamping</c>: the unit of the time of arrival that the kernel tells with each datagram.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<TimestampUnit>))]
public enum TimestampUnit
{
    /// <summary>The kernel tells none.</summary>
    Off,

    /// <summary>struct timeval.</summary>
    Microseconds,

    /// <summary>struct timespec.</summary>
    Nanoseconds,
}

/// <summary>One multicast group to join.</summary>
/// <param name="Group">The group's numeric address.</param>
/// <param name="Interface">The interface's name; null: the kernel's choice.</param>
/// <param name="Source">The only source to receive from; null: any source.</param>
public sealed record MulticastMembership(
    [property: JsonConverter(typeof(IPAddressConverter))] IPAddress Group,
    string? Interface,
    [property: JsonConverter(typeof(IPAddressConverter))] IPAddress? Source);
