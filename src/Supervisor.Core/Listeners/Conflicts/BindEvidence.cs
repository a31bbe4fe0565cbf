using System.Collections.Immutable;

namespace Supervisor.Core.Listeners.Conflicts;

/// <summary>The facts about an address at the moment of the error. It contains no guesses.</summary>
public sealed record BindEvidence
{
    /// <summary>No evidence: only the errno.</summary>
    public static BindEvidence None { get; } = new();

    /// <summary>Sockets with that port (name, path) and the same kind of traffic, conflicting or not.</summary>
    public ImmutableArray<SocketHolder> Holders { get; init; } = [];

    /// <summary>Processes whose descriptors could not be read.</summary>
    public int HiddenProcesses { get; init; }

    /// <summary>Whether the search ended early.</summary>
    public bool IsPartial { get; init; }

    /// <summary>The requesting user.</summary>
    public uint Uid { get; init; }

    /// <summary>The number of the interface of the request (device, or the scope of a link-local address); 0: none.</summary>
    public uint Device { get; init; }

    /// <summary>Addresses of this network namespace.</summary>
    public ImmutableArray<InterfaceAddress> Addresses { get; init; } = [];

    /// <summary>Names of its interfaces.</summary>
    public ImmutableArray<string> Interfaces { get; init; } = [];

    /// <summary>net.ipv6.conf.all.disable_ipv6, or that of each interface which could have the address.</summary>
    public bool IPv6Disabled { get; init; }

    /// <summary>net.ipv4.ip_unprivileged_port_start.</summary>
    public long UnprivilegedPortStart { get; init; } = 1024;

    /// <summary>Whether this process has CAP_NET_BIND_SERVICE.</summary>
    public bool MayBindAnyPort { get; init; }

    /// <summary>The active security modules, /sys/kernel/security/lsm; null if they cannot be read.</summary>
    public string? SecurityModules { get; init; }

    /// <summary>Whether the refusal was a matter of permission.</summary>
    public bool IsPolicy { get; init; }

    /// <summary>Whether the file permissions let this process make the UNIX path.</summary>
    public bool IsPathWritable { get; init; }

    /// <summary>The vsock context id that a hypervisor gave this machine; null if it has none, or that cannot be seen.</summary>
    public uint? LocalCid { get; init; }

    /// <summary>What is at the UNIX path.</summary>
    public UnixPathState Path { get; init; }

    /// <summary>The kind of the file there, if it is not a socket: a directory, a regular file...</summary>
    public string? FileKind { get; init; }

    /// <summary>
    /// The network namespace, such as net:[4026531840], if it is not that of process 1; null if it is, or that cannot be seen.
    /// </summary>
    public string? Namespace { get; init; }

    /// <summary>Whether this kernel's sock_diag shows bound sockets that do not listen (Linux 6.8).</summary>
    public bool ShowsBound { get; init; } = true;
}
