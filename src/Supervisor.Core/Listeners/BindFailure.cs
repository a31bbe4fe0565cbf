namespace Supervisor.Core.Listeners;

/// <summary>What a refusal means, as far as errno and the specification alone tell; who holds an address takes evidence.</summary>
public static class BindFailure
{
    /// <summary>The cause in the words of the public interface; null where errno alone does not tell.</summary>
    public static string? Cause(SystemCallFailure failure, ListenerSpec spec) => failure.Name switch
    {
        "EACCES" when spec.Address.Kind.IsInternet() => "privileged-port",
        "EACCES" => "path-permission",
        "EPERM" => "option-not-permitted",
        "ENODEV" => "device-absent",
        "EAFNOSUPPORT" or "EPROTONOSUPPORT" => "family-unsupported",
        "ENOPROTOOPT" when failure.Call == "socket" => "family-unsupported",
        "ENOENT" => "directory-absent",
        "ENAMETOOLONG" => "path-too-long",
        "EMFILE" or "ENFILE" => "descriptor-limit",
        "ENOBUFS" or "ENOMEM" => "kernel-memory",
        "EINVAL" when spec.Address is { Host.IsIPv6LinkLocal: true, Scope: null } => "scope-missing",
        _ => null,
    };

    /// <summary>What to do.</summary>
    public static string Advice(SystemCallFailure failure, ListenerSpec spec) => Cause(failure, spec) switch
    {
        "privileged-port" => "ports below net.ipv4.ip_unprivileged_port_start need CAP_NET_BIND_SERVICE: grant it, or choose a higher port",
        "path-permission" => $"the daemon's user may not write to the directory of {spec.Address.Path}",
        "option-not-permitted" => $"{failure.Arguments} needs a capability that the daemon does not have: grant it, or leave the option out",
        "device-absent" => "there is no such interface in this network namespace",
        "family-unsupported" => "this kernel or namespace does not have the address family",
        "directory-absent" => $"make the directory of {spec.Address.Path} first",
        "path-too-long" => $"choose a path of {ListenAddress.MaxUnixPathBytes} bytes or less",
        "descriptor-limit" => "raise the limit of open files (LimitNOFILE= in the unit)",
        "kernel-memory" => "the kernel has no memory for it",
        "scope-missing" => $"a link-local address needs its interface: {spec.Address.Kind.Scheme()}://[{spec.Address.Host}%eth0]:{spec.Address.Port}",
        _ => failure.Name switch
        {
            "EADDRINUSE" => "another socket holds the address: see who with ss -tulpnx, stop it, or choose another address",
            "EADDRNOTAVAIL" => "no interface of this network namespace has the address: see ip addr",
            _ => failure.ToString(),
        },
    };
}
