namespace Supervisor.Core.Listeners.Conflicts;

/// <summary>Why an address cannot be bound. docs/reference/errors.md has a section for each.</summary>
public enum BindCause
{
    /// <summary>Another socket listens on the same address, and neither has SO_REUSEPORT.</summary>
    SameAddress,

    /// <summary>A previous instance or worker of the same service still holds it.</summary>
    HeldByPredecessor,

    /// <summary>A listener on the wildcard covers the address.</summary>
    CoveredByWildcard,

    /// <summary>The wildcard would cover a listener on a concrete address.</summary>
    WildcardCoversExisting,

    /// <summary>One of the two is [::] without IPV6_V6ONLY and covers the IPv4 side, where the other is.</summary>
    DualStackOverlap,

    /// <summary>Exactly one of the two has SO_REUSEPORT.</summary>
    ReusePortMismatch,

    /// <summary>Both have SO_REUSEPORT, for different users.</summary>
    ReusePortOtherUser,

    /// <summary>Bound by a socket that does not listen.</summary>
    BoundNotListening,

    /// <summary>Only closed connections remain, and one side lacks SO_REUSEADDR.</summary>
    TimeWait,

    /// <summary>No socket listens; open connections use the port.</summary>
    ConnectionsOpen,

    /// <summary>A socket file on which no process listens.</summary>
    StaleUnixPath,

    /// <summary>A live socket at that path.</summary>
    UnixPathInUse,

    /// <summary>Another kind of file at that path.</summary>
    NotASocket,

    /// <summary>The file at a path is not of the kind that the address asks for.</summary>
    WrongFileType,

    /// <summary>The special file does not exist.</summary>
    FileAbsent,

    /// <summary>A message queue that is larger than fs.mqueue or RLIMIT_MSGQUEUE allows, or one too many.</summary>
    QueueLimit,

    /// <summary>Two listeners of one configuration.</summary>
    DuplicateInConfig,

    /// <summary>No interface of this network namespace has the address.</summary>
    AddressAbsent,

    /// <summary>A vsock context id that this machine does not have; no event announces it.</summary>
    CidAbsent,

    /// <summary>IPv6 duplicate address detection has not finished.</summary>
    AddressTentative,

    /// <summary>IPv6 duplicate address detection found another host with the address.</summary>
    AddressDuplicate,

    /// <summary>The address belongs to an interface that is down.</summary>
    InterfaceDown,

    /// <summary>IPv6 is disabled here.</summary>
    FamilyDisabled,

    /// <summary>A multicast address that this kind of socket cannot be bound to here.</summary>
    NotLocalMulticast,

    /// <summary>A link-local address without its interface.</summary>
    ScopeMissing,

    /// <summary>An IPv4 address in IPv6 form together with ipv6_only.</summary>
    MappedIPv6Only,

    /// <summary>A port below net.ipv4.ip_unprivileged_port_start without CAP_NET_BIND_SERVICE.</summary>
    PrivilegedPort,

    /// <summary>The directory of a UNIX path cannot be entered or written to.</summary>
    PathPermission,

    /// <summary>No interface has that name.</summary>
    DeviceAbsent,

    /// <summary>This kernel does not have the address family or protocol.</summary>
    FamilyUnsupported,

    /// <summary>An option that decides who owns the address needs a capability.</summary>
    OptionNotPermitted,

    /// <summary>The directory of a UNIX path does not exist.</summary>
    DirectoryAbsent,

    /// <summary>The file of the network namespace does not exist, or is something else.</summary>
    NamespaceAbsent,

    /// <summary>A UNIX path longer than sun_path.</summary>
    PathTooLong,

    /// <summary>The file system of a path has no room for another file.</summary>
    FileSystemFull,

    /// <summary>The limit of open descriptors is reached.</summary>
    DescriptorLimit,

    /// <summary>The kernel has no memory for it.</summary>
    KernelMemory,

    /// <summary>The kernel rejects it, and nothing visible explains why.</summary>
    Unexplained,
}
