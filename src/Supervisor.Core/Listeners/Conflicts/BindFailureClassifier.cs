using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Supervisor.Core.Listeners.History;

namespace Supervisor.Core.Listeners.Conflicts;

/// <summary>
/// Finds the cause of the kernel's error. The kernel has one errno for fourteen situations. They differ in the process that has
/// the port, the state of its socket, and which side shares. Pure: a function of errno, specification and evidence.
/// <see cref="BindAdvice"/> has the remedy of each cause.
/// </summary>
public static class BindFailureClassifier
{
    private const int PrivilegedVsockPorts = 1024;

    /// <summary>The diagnosis of a refused call.</summary>
    public static BindDiagnosis Classify(SystemCallFailure failure, ListenerSpec spec, BindEvidence evidence)
    {
        var finding = Find(failure, spec, evidence);
        return new BindDiagnosis
        {
            Address = spec.Address.ToString(),
            Errno = failure.Name,
            Cause = finding.Cause,
            Holders = finding.Holders,
            Verdict = finding.Verdict,
            Advice = BindAdvice.For(finding, spec, evidence),
            IsPartial = evidence.IsPartial,
            ClearsIn = finding.Cause == BindCause.TimeWait ? finding.Holders.Max(holder => holder.Expires) : null,
        };
    }

    /// <summary>The rejection of a listener because of another listener of its configuration, before the kernel is asked.</summary>
    public static BindDiagnosis DuplicateInConfig(ListenerSpec spec, ListenerSpec other) => new()
    {
        Address = spec.Address.ToString(),
        Errno = "EADDRINUSE",
        Cause = BindCause.DuplicateInConfig,
        Verdict = spec.Address == other.Address
            ? $"listener \"{other.Name}\" of this configuration has the same address"
            : $"listener \"{other.Name}\" of this configuration has {other.Address}, and the two overlap",
        Advice = BindAdvice.ForDuplicate(spec, other),
    };

    private static BindFinding Find(SystemCallFailure failure, ListenerSpec spec, BindEvidence evidence)
    {
        var address = spec.Address;
        if (OpenFailure.Find(failure, address, evidence) is { } opened)
        {
            return opened;
        }

        return failure.Name switch
        {
            _ when failure.Call == "setns" => NamespaceEntry.Classify(failure),
            "EADDRINUSE" when address.Kind.IsUnix() => UnixPathInUse.Classify(spec, evidence),
            "EADDRINUSE" when address.Kind.IsInternet() => AddressInUse.Classify(spec, evidence),
            "EADDRINUSE" => new(
                BindCause.SameAddress, "another socket has it; this kernel does not list vsock sockets, so it cannot be seen whose"),
            "EADDRNOTAVAIL" => NotAvailable(address, evidence),
            "EINVAL" when failure.Call == "bind" => Invalid(spec),
            "EACCES" when address.Kind.IsUnix() && evidence.IsPathWritable => Forbidden($"creating {address.Path}", evidence),
            "EACCES" when address.Kind.IsUnix() =>
                new(BindCause.PathPermission, $"uid {evidence.Uid} must not create a file in the directory of {address.Path}"),
            "EROFS" => new(BindCause.PathPermission, $"the directory of {address.Path} is on a read-only file system"),
            "EACCES" => Privileged(address, evidence),
            "EPERM" when failure.Call != "setsockopt" => Forbidden($"{failure.Call}({address})", evidence),
            "EPERM" => new(BindCause.OptionNotPermitted, $"{Option(failure)} needs a capability that this process does not have"),
            "ENODEV" => new(BindCause.DeviceAbsent, $"no interface \"{spec.Bind.Device ?? address.Scope}\" in this network namespace"),
            "EAFNOSUPPORT" or "EPROTONOSUPPORT" or "ESOCKTNOSUPPORT" or "ENOPROTOOPT" or "EOPNOTSUPP" => Unsupported(failure, address),
            "ENOENT" => new(BindCause.DirectoryAbsent, $"the directory of {address.Path} does not exist"),
            "ENOTDIR" => new(
                BindCause.DirectoryAbsent, $"{NoWay} the directory of {address.Path}: a part of that path is not a directory"),
            "ELOOP" => new(BindCause.DirectoryAbsent, $"{NoWay} the directory of {address.Path}: a symlink leads back to itself"),
            "ENAMETOOLONG" => new(
                BindCause.PathTooLong,
                $"the path has {address.PathBytes} bytes, the limit for a UNIX socket is {ListenAddress.MaxUnixPathBytes}"),
            "ENOSPC" or "EDQUOT" when address.Kind.IsUnix() => Full(failure, address),
            "EMFILE" => new(BindCause.DescriptorLimit, "this process has no descriptor left"),
            "ENFILE" => new(BindCause.DescriptorLimit, "the system has reached its limit of open files"),
            "ENOBUFS" or "ENOMEM" => new(BindCause.KernelMemory, "the kernel has no memory for it"),
            _ => new(BindCause.Unexplained, failure.ToString()),
        };
    }

    /// <summary>How the verdict begins about a directory that cannot be created before something else is corrected.</summary>
    internal const string NoWay = "no path leads to";

    /// <summary>No file can be made at the path of an address.</summary>
    internal static BindFinding Full(SystemCallFailure failure, ListenAddress address) => new(
        BindCause.FileSystemFull,
        failure.Name == "EDQUOT" ? $"the disk quota permits no other file at {address.Path}"
            : $"the file system of {address.Path} has no free space or no free inode");

    private static BindFinding Privileged(ListenAddress address, BindEvidence evidence)
    {
        var first = address.Kind == ListenerKind.Vsock ? PrivilegedVsockPorts : evidence.UnprivilegedPortStart;
        if (address.Port >= first || evidence.MayBindAnyPort)
        {
            return Forbidden($"port {address.Port}", evidence);
        }

        return new(BindCause.PrivilegedPort, $"port {address.Port} is below {first}, and this process does not have CAP_NET_BIND_SERVICE");
    }

    /// <summary>A refusal that no rule of the kernel itself explains: a security module, or a BPF program of the control group.</summary>
    private static BindFinding Forbidden(string what, BindEvidence evidence) => new(
        BindCause.Unexplained,
        $"the kernel forbids {what}, and no port or file permission is the reason: a security module or a BPF program does ("
        + (evidence.SecurityModules is { Length: > 0 } modules
            ? $"active security modules: {modules}"
            : "the active security modules cannot be read")
        + ")");

    private static BindFinding Unsupported(SystemCallFailure failure, ListenAddress address)
    {
        var option = failure.Call == "setsockopt" ? $"{Option(failure)} on " : "";
        return new(BindCause.FamilyUnsupported, $"this kernel does not support {option}{address.Kind.Scheme()}:// sockets of that family");
    }

    private static BindFinding NotAvailable(ListenAddress address, BindEvidence evidence)
    {
        if (address.Host is not { } host)
        {
            var own = evidence.LocalCid is { } cid ? string.Create(CultureInfo.InvariantCulture, $": its own is {cid}") : "";
            return new(
                BindCause.CidAbsent, string.Create(CultureInfo.InvariantCulture, $"this machine does not have the CID {address.Cid}{own}"));
        }

        if (host.IsMulticast())
        {
            return new(BindCause.NotLocalMulticast, $"{host} is a multicast address, which no interface here receives");
        }

        var plain = host.AddressFamily == AddressFamily.InterNetworkV6 ? new IPAddress(host.GetAddressBytes()) : host;
        var sought = plain.IsIPv4MappedToIPv6 ? plain.MapToIPv4() : plain;
        var known = evidence.Addresses.Where(known => known.Address.Equals(sought)).ToList();
        if (known.Find(known => !known.IsUp) is { } down)
        {
            return new(BindCause.InterfaceDown, $"{host} belongs to {down.Interface}, which is down");
        }

        if (known.Find(known => known.IsDuplicate) is { } duplicate)
        {
            return new(
                BindCause.AddressDuplicate, $"{host} on {duplicate.Interface} failed duplicate address detection: another host has it");
        }

        if (known.Find(known => known.IsTentative) is { } tentative)
        {
            return new(BindCause.AddressTentative, $"duplicate address detection for {host} on {tentative.Interface} has not finished");
        }

        if (sought.AddressFamily == AddressFamily.InterNetworkV6 && evidence.IPv6Disabled)
        {
            return new(BindCause.FamilyDisabled, "IPv6 is disabled in this network namespace (net.ipv6.conf.all.disable_ipv6)");
        }

        var interfaces = string.Join(", ", known.Select(known => known.Interface));
        return new(BindCause.AddressAbsent, known.Count > 0
            ? $"{host} belongs to {interfaces}, not to the interface asked for"
            : $"no interface of this network namespace has {host}");
    }

    private static BindFinding Invalid(ListenerSpec spec)
    {
        var address = spec.Address;
        return address.Host switch
        {
            { IsIPv4MappedToIPv6: true } host when spec.Bind.IPv6Only =>
                new(BindCause.MappedIPv6Only, $"{host} is an IPv4 address, and ipv6_only excludes IPv4"),
            { IsIPv6Multicast: true } host when address.Kind != ListenerKind.Udp =>
                new(BindCause.NotLocalMulticast, $"{host} is a multicast address, and a {address.Kind.Scheme()}:// socket cannot have one"),
            { } host when (host.IsIPv6LinkLocal || host.IsIPv6Multicast) && address.Scope is null && spec.Bind.Device is null =>
                new(BindCause.ScopeMissing, $"{host} is link-local: each interface can have it, and none is named"),
            _ => new(BindCause.Unexplained, "the kernel rejects the request as invalid"),
        };
    }

    private static string Option(SystemCallFailure failure) => failure.Arguments.Split(", ") is [_, { } option, ..] ? option : failure.Call;
}
