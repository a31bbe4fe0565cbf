namespace Supervisor.Core.Listeners.Conflicts;

/// <summary>The properties of a cause.</summary>
public static class BindCauseExtensions
{
    /// <summary>The name in the public interface; also the heading in docs/reference/errors.md.</summary>
    public static string ToWireName(this BindCause cause) => cause switch
    {
        BindCause.SameAddress => "same-address",
        BindCause.HeldByPredecessor => "held-by-predecessor",
        BindCause.CoveredByWildcard => "covered-by-wildcard",
        BindCause.WildcardCoversExisting => "wildcard-covers-existing",
        BindCause.DualStackOverlap => "dual-stack-overlap",
        BindCause.ReusePortMismatch => "reuse-port-mismatch",
        BindCause.ReusePortOtherUser => "reuse-port-other-user",
        BindCause.BoundNotListening => "bound-not-listening",
        BindCause.TimeWait => "time-wait",
        BindCause.ConnectionsOpen => "connections-open",
        BindCause.StaleUnixPath => "stale-unix-path",
        BindCause.UnixPathInUse => "unix-path-in-use",
        BindCause.NotASocket => "not-a-socket",
        BindCause.WrongFileType => "wrong-file-type",
        BindCause.FileAbsent => "file-absent",
        BindCause.QueueLimit => "queue-limit",
        BindCause.DuplicateInConfig => "duplicate-in-config",
        BindCause.AddressAbsent => "address-absent",
        BindCause.CidAbsent => "cid-absent",
        BindCause.AddressTentative => "address-tentative",
        BindCause.AddressDuplicate => "address-duplicate",
        BindCause.InterfaceDown => "interface-down",
        BindCause.FamilyDisabled => "family-disabled",
        BindCause.NotLocalMulticast => "not-local-multicast",
        BindCause.ScopeMissing => "scope-missing",
        BindCause.MappedIPv6Only => "mapped-ipv6-only",
        BindCause.PrivilegedPort => "privileged-port",
        BindCause.PathPermission => "path-permission",
        BindCause.DeviceAbsent => "device-absent",
        BindCause.FamilyUnsupported => "family-unsupported",
        BindCause.OptionNotPermitted => "option-not-permitted",
        BindCause.DirectoryAbsent => "directory-absent",
        BindCause.NamespaceAbsent => "namespace-absent",
        BindCause.PathTooLong => "path-too-long",
        BindCause.FileSystemFull => "file-system-full",
        BindCause.DescriptorLimit => "descriptor-limit",
        BindCause.KernelMemory => "kernel-memory",
        BindCause.Unexplained => "unexplained",
        _ => throw new ArgumentOutOfRangeException(nameof(cause)),
    };

    /// <summary>Whether it can clear automatically, so that waiting makes sense.</summary>
    public static bool CanClear(this BindCause cause) => cause is
        BindCause.HeldByPredecessor or BindCause.TimeWait or BindCause.ConnectionsOpen
        or BindCause.AddressAbsent or BindCause.AddressTentative or BindCause.InterfaceDown;
}
