namespace Supervisor.Core.Listeners.Options;

/// <summary>Reads an option's value from a specification, for a socket of that family; null if it is not set.</summary>
public delegate OptionValue? OptionValueReader(ListenerSpec spec, SocketDomain domain);

/// <summary>One row of the catalogue of socket options: the kernel's name, the step in which it works, and its setting.</summary>
/// <param name="Name">The kernel's name, such as SO_RCVBUF.</param>
/// <param name="LevelName">The kernel's name of the level, such as SOL_SOCKET.</param>
/// <param name="Level">The level's number in the Linux ABI.</param>
/// <param name="Number">The option's number in the Linux ABI, for setsockopt.</param>
/// <param name="Shape">The value's C type.</param>
/// <param name="Phase">The step in which it has to be set.</param>
/// <param name="Setting">The configuration's name of it within a listener, such as <c>buffers.receive</c>.</param>
/// <param name="Scope">Which sockets have it.</param>
/// <param name="Inheritance">Whether accepted TCP connections get it from the listener; see <see cref="InheritanceOn"/>.</param>
/// <param name="ValueIn">Its value in a specification; null if it is not set. Called only if <see cref="AppliesTo"/> is
/// true.</param>
public sealed record SocketOption(
    string Name,
    string LevelName,
    int Level,
    int Number,
    OptionShape Shape,
    HandlePhase Phase,
    string Setting,
    OptionScope Scope,
    OptionInheritance Inheritance,
    OptionValueReader ValueIn)
{
    /// <summary>
    /// Whether it decides who may own the address. If the kernel rejects such an option, the listener fails, because it would
    /// have the address under other terms than configured. Any other rejection is a warning.
    /// </summary>
    public bool AffectsBindOwnership { get; init; }

    /// <summary>
    /// Whether it can be set on a living socket, with the same effect as before bind(). Not if bind() has read it for good
    /// (IPV6_V6ONLY, EINVAL: net/ipv6/ipv6_sockglue.c). Not the device, which would move a bound socket without a conflict
    /// check. Inherited values apply to connections that are accepted afterwards. The bind() of another socket reads
    /// SO_REUSEADDR and SO_REUSEPORT as they are then. Proven by <c>ReloadTests</c>.
    /// </summary>
    public bool ChangeableInPlace { get; init; } = true;

    /// <summary>
    /// Whether bind() changes it: a concrete IPv6 address sets IPV6_V6ONLY (net/ipv6/af_inet6.c, __inet6_bind). Then it is read
    /// back once more after bind().
    /// </summary>
    public bool ChangedByBind { get; init; }

    /// <summary>The option's number for getsockopt, if it differs (SO_RCVBUFFORCE is read as SO_RCVBUF).</summary>
    public int ReadNumber { get; init; } = Number;

    /// <summary>The option to set instead if the kernel rejects this one; null for none.</summary>
    public SocketOption? Fallback { get; init; }

    /// <summary>The sysctl that limits the value, without /proc/sys/, with dots; null if there is none.</summary>
    public string? BoundedBy { get; init; }

    /// <summary>
    /// Whether connections accepted on a listener of this kind inherit it. For a UNIX connection the client's connect() makes a
    /// new socket, which inherits only SO_PASSCRED (net/unix/af_unix.c, unix_accept; the same for vsock). A datagram socket
    /// accepts nothing. Proven by <c>InheritanceTests</c>.
    /// </summary>
    public OptionInheritance InheritanceOn(ListenerKind kind) =>
        !kind.Listens() ? OptionInheritance.NotApplicable
        : kind.SpeaksTcp() || Scope is OptionScope.Unix or OptionScope.Local ? Inheritance
        : OptionInheritance.ListenerOnly;

    /// <summary>Two rows are equal if they are the same option of the kernel, also where another phase or setting decides it.</summary>
    public bool Equals(SocketOption? other) => other is not null && Level == other.Level && Number == other.Number;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Level, Number);

    /// <summary>Whether getsockopt() returns the same value for both, as for SO_RCVBUF and SO_RCVBUFFORCE.</summary>
    public bool IsReadLike(SocketOption other) => Level == other.Level && ReadNumber == other.ReadNumber;

    /// <summary>Whether a socket of this kind and family has the option.</summary>
    public bool AppliesTo(ListenerKind kind, SocketDomain domain) => Scope switch
    {
        OptionScope.Any => kind.IsSocket(),
        OptionScope.Local => kind.IsUnix() || kind == ListenerKind.Netlink,
        OptionScope.Internet => kind.IsInternet(),
        OptionScope.IPv4 => kind.IsInternet(),
        OptionScope.IPv6 => kind.IsInternet() && domain == SocketDomain.IPv6,
        OptionScope.Tcp => kind.SpeaksTcp(),
        OptionScope.Udp => kind == ListenerKind.Udp,
        OptionScope.UdpIPv6 => kind == ListenerKind.Udp && domain == SocketDomain.IPv6,
        OptionScope.Unix => kind.IsUnix(),
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}
