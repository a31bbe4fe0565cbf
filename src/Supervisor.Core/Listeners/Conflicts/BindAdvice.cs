using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Supervisor.Core.Listeners.Conflicts;

/// <summary>The remedy of each cause of a refused bind, and what could not be seen. docs/reference/errors.md explains the causes.</summary>
internal static class BindAdvice
{
    /// <summary>The advice for a finding.</summary>
    public static string For(BindFinding finding, ListenerSpec spec, BindEvidence evidence) =>
        Remedy(finding, spec, evidence) + Unseen(finding, spec, evidence);

    /// <summary>The advice for two listeners of one configuration that overlap.</summary>
    public static string ForDuplicate(ListenerSpec spec, ListenerSpec other) =>
        $"listener \"{spec.Name}\" ({spec.Address}) and listener \"{other.Name}\" ({other.Address}) cannot both be bound: "
        + (IsIPv4(spec.Address) != IsIPv4(other.Address)
            ? "set bind.ipv6_only = true on the [::] listener, or remove the IPv4 listener, which it covers"
            : "change the address or port of one, or set bind.reuse_port = true on both");

    private static string? Folder(ListenAddress address) => Path.GetDirectoryName(address.Path);

    private static string Remedy(BindFinding finding, ListenerSpec spec, BindEvidence evidence)
    {
        var (address, holders) = (spec.Address, finding.Holders);
        return finding.Cause switch
        {
            BindCause.OptionNotPermitted when finding.Verdict.StartsWith(NamespaceEntry.Verb, StringComparison.Ordinal) =>
                "grant CAP_SYS_ADMIN (the drop-in network-namespace.conf), or start listend as root",
            BindCause.PathPermission when finding.Verdict.StartsWith(NamespaceEntry.Verb, StringComparison.Ordinal) =>
                "see docs/how-to/trust-a-path.md",
            BindCause.SameAddress or BindCause.CoveredByWildcard or BindCause.WildcardCoversExisting => Overlap(finding, address),
            BindCause.DualStackOverlap => address.IsAnyFamily || address.Host?.Equals(IPAddress.IPv6Any) == true
                ? $"set bind.ipv6_only = true to bind only the IPv6 side, or {Stop(holders)}"
                : $"set ipv6_only (IPV6_V6ONLY) on the [::] listener, or {Stop(holders)}, or use it for IPv4 too",
            BindCause.HeldByPredecessor => $"wait until it exits (on_conflict.wait does that), or kill it: {Kill(holders)}",
            BindCause.ReusePortMismatch => spec.HasReusePort
                ? $"set SO_REUSEPORT in the other program too, before its bind(), or remove bind.reuse_port and {Stop(holders)}"
                : "set bind.reuse_port = true to share the address, if both run as the same user, or choose another port",
            BindCause.ReusePortOtherUser => OtherUser(holders, evidence),
            BindCause.BoundNotListening => holders.IsEmpty
                ? "find the process that reserves the port (bind() without listen()), or choose another port"
                : $"{Stop(holders)}, or choose another address: a bound socket reserves its address",
            BindCause.TimeWait => spec.Bind.ReuseAddress == false || address.Kind == ListenerKind.Udp
                ? "set bind.reuse_address = true, or wait for the end of TIME_WAIT (on_conflict.wait does that)"
                : "the closed socket had no SO_REUSEADDR: wait for the end of TIME_WAIT (on_conflict.wait does that), "
                    + "and set it in that program",
            BindCause.ConnectionsOpen => ConnectionsOpen(holders),
            BindCause.StaleUnixPath => spec.Unix.RemoveStale
                ? $"remove it: rm {address.Path} (remove_stale failed to)"
                : $"remove it: rm {address.Path}, or set unix.remove_stale = true",
            BindCause.UnixPathInUse => $"{Stop(holders)}, or choose another path",
            BindCause.NotASocket => "choose another path, or move the file away: listend only removes sockets",
            BindCause.WrongFileType => "choose another path, or move the file away: listend never replaces it",
            BindCause.FileAbsent => "load the driver that makes the device, or correct the path: listend makes no special files",
            BindCause.QueueLimit =>
                "lower mqueue.max_messages or mqueue.message_size, or raise fs.mqueue.msg_max, fs.mqueue.msgsize_max, "
                + "fs.mqueue.queues_max or LimitMSGQUEUE= of the unit",
            BindCause.PathPermission when !address.Kind.IsSocket() =>
                "grant this user access, or choose another path or name",
            BindCause.DuplicateInConfig => "change the address of one of the two listeners",
            BindCause.AddressAbsent =>
                $"see ip addr; {Nearest(evidence)}wait until an interface has it (listend binds it then), "
                + "or set bind.free_bind = true to bind it before",
            BindCause.CidAbsent => Cid(address, evidence),
            BindCause.AddressTentative => "wait for a second or two (listend binds it then), or set bind.free_bind = true",
            BindCause.AddressDuplicate => "remove the address from one of the two hosts; ip -6 addr shows it as dadfailed",
            BindCause.InterfaceDown =>
                $"ip link set {DownInterface(address, evidence)} up, or wait until it is up (listend binds the address then)",
            BindCause.FamilyDisabled => "sysctl net.ipv6.conf.all.disable_ipv6=0, or listen on an IPv4 address",
            BindCause.NotLocalMulticast => "listen on udp:// and the wildcard, and join the group with datagram.multicast",
            BindCause.ScopeMissing =>
                $"name the interface: {address.Kind.Scheme()}://[{address.Host}%{SomeInterface(evidence)}]:{address.Port}",
            BindCause.MappedIPv6Only =>
                $"use {address.Kind.Scheme()}://{address.Host?.MapToIPv4()}:{address.Port}, or remove bind.ipv6_only",
            BindCause.PrivilegedPort =>
                "grant CAP_NET_BIND_SERVICE (AmbientCapabilities= in the unit), "
                + $"choose a port from {evidence.UnprivilegedPortStart} on, or lower net.ipv4.ip_unprivileged_port_start",
            BindCause.PathPermission =>
                $"let uid {evidence.Uid} write to {Path.GetDirectoryName(address.Path)}, or choose another directory",
            BindCause.DeviceAbsent =>
                evidence.Interfaces.IsEmpty ? "see ip link" : $"the interfaces are {string.Join(", ", evidence.Interfaces)}",
            BindCause.FamilyUnsupported => "choose another family, or a kernel that supports it",
            BindCause.OptionNotPermitted => "grant CAP_NET_ADMIN or CAP_NET_RAW, or remove the option",
            BindCause.DirectoryAbsent when finding.Verdict.StartsWith(BindFailureClassifier.NoWay, StringComparison.Ordinal) =>
                $"see namei -l {Folder(address)}, then correct that path or the address",
            BindCause.DirectoryAbsent =>
                $"create it first: mkdir -p {Path.GetDirectoryName(address.Path)} (RuntimeDirectory= in the unit), or set unix.directory_mode",
            BindCause.NamespaceAbsent =>
                $"make it (ip netns add {Path.GetFileName(spec.NetworkNamespace)}), then listenctl reload, or correct network_namespace",
            BindCause.PathTooLong => $"choose a path of at most {ListenAddress.MaxUnixPathBytes} bytes",
            BindCause.FileSystemFull => $"remove files (df {Folder(address)}; df -i {Folder(address)}), or choose another directory",
            BindCause.DescriptorLimit => "raise the limit of open files (LimitNOFILE= in the unit, fs.file-max for the system)",
            BindCause.KernelMemory => "free memory, or lower net.core and buffer settings",
            BindCause.Unexplained when evidence.IsPolicy =>
                "look for the denial (journalctl -k, or ausearch -m AVC), or change the policy: Landlock, SocketBindDeny= of the unit, "
                + "AppArmor, SELinux",
            BindCause.Unexplained => "try again; if it persists, run ss -tulpnxa as root",
            _ => throw new ArgumentOutOfRangeException(nameof(finding), finding.Cause, null),
        };
    }

    private static string Overlap(BindFinding finding, ListenAddress address)
    {
        if (!address.Kind.IsInternet())
        {
            return $"{Stop(finding.Holders)}, or choose another name";
        }

        var addresses = finding.Cause == BindCause.SameAddress ? "" : " or addresses that do not overlap";
        return $"{Stop(finding.Holders)}, or choose another port{addresses}; "
            + "to share the address, both sockets need SO_REUSEPORT (bind.reuse_port) and the same user";
    }

    private static string OtherUser(ImmutableArray<SocketHolder> holders, BindEvidence evidence)
    {
        var other = holders.IsEmpty ? "?" : holders[0].Uid.ToString(CultureInfo.InvariantCulture);
        return $"run both as the same user (now uid {evidence.Uid} and uid {other}), or let listend make one socket and pass it to both";
    }

    private static string ConnectionsOpen(ImmutableArray<SocketHolder> holders)
    {
        var isOutgoing = holders.All(holder => holder.StateName == "syn-sent")
            || holders.Any(holder => holder.Socket?.Space == PortSpace.Udp);
        if (isOutgoing)
        {
            return "an outgoing connection has this port: wait until it is closed, choose a port outside "
                + "net.ipv4.ip_local_port_range, or reserve the port with net.ipv4.ip_local_reserved_ports";
        }

        var owner = holders.All(holder => holder.Processes.IsEmpty) ? "the process that has them" : ProcessDescription.Holders(holders);
        return $"wait until the connections are closed (on_conflict.wait does that), or stop {owner}; "
            + "SO_REUSEADDR on both sides (the default here) avoids it";
    }

    /// <summary>What could not be seen, as further sentences.</summary>
    private static string Unseen(BindFinding finding, ListenerSpec spec, BindEvidence evidence)
    {
        var text = new List<string>();
        if (evidence.IsPartial)
        {
            text.Add($"Not all processes were examined in time: run listenctl explain {spec.Address} to examine all");
        }
        else if (finding.Holders.FirstOrDefault(holder => holder.Processes.IsEmpty && holder.Inode != 0) is { } hidden)
        {
            text.Add(Hidden(hidden, evidence));
        }

        if (spec.Address.Kind.IsInternet() && finding.Holders.Any(holder => !holder.FlagsKnown && AddressInUse.IsLive(holder))
            && finding.Cause is BindCause.SameAddress or BindCause.CoveredByWildcard or BindCause.WildcardCoversExisting
                or BindCause.DualStackOverlap or BindCause.ReusePortOtherUser)
        {
            var useless = finding.Cause == BindCause.ReusePortOtherUser ? ", and it does not help while the users differ" : "";
            text.Add($"Whether the other socket has SO_REUSEPORT cannot be seen by uid {evidence.Uid}{useless}");
        }

        if (evidence.Namespace is { } netns)
        {
            text.Add($"This diagnosis is about network namespace {netns}, and process 1 is in another one");
        }

        return string.Concat(text.Select(sentence => ". " + sentence));
    }

    private static string Hidden(SocketHolder hidden, BindEvidence evidence) => evidence.HiddenProcesses > 0
        ? $"The socket {hidden.Address} is held by a process of uid {hidden.Uid} that is not visible to uid {evidence.Uid} "
            + $"({HolderText.Count(evidence.HiddenProcesses, "process", "processes")} could not be examined): try again as root"
        : $"No process that is visible here holds the socket {hidden.Address} (uid {hidden.Uid}): "
            + "a process of another process namespace does, or the kernel";

    private static string Stop(ImmutableArray<SocketHolder> holders)
    {
        if (holders.FirstOrDefault(holder => holder.Listener is not null) is { Listener: { } listener })
        {
            return $"use that socket: listenctl take {listener} -- COMMAND, or list \"{listener}\" in a service";
        }

        var processes = holders.SelectMany(holder => holder.Processes).ToArray();
        var process = processes.FirstOrDefault(process => process.IsSocketUnit) ?? processes.FirstOrDefault(process => process.IsListend)
            ?? processes.FirstOrDefault(process => process.IsKeeper) ?? processes.FirstOrDefault();
        return processes.Any(one => one is { IsSelf: true, IsListend: true })
            ? "start listend directly or with exec: it has inherited this socket, and LISTEN_PID is not its process id"
            : process is { IsSocketUnit: true } ? $"stop the socket unit (systemctl stop {process.Unit})"
            : process is { IsListend: true } ? "use the socket of that listend: listenctl listeners, then listenctl take NAME -- COMMAND"
            : process is { IsKeeper: true }
                ? "start the listend that was killed, with its runtime_directory: it takes the socket; its keeper exits after 5 minutes"
            : process is { Pid: 1, Command: "systemd" } ? "stop the socket unit that has it (systemctl list-sockets)"
            : process is null ? "stop the process that holds it"
            : process.Unit is { } unit && unit.EndsWith(".service", StringComparison.Ordinal)
                ? $"stop {process.Command} (systemctl stop {unit})"
            : $"stop {process.Command} (pid {process.Pid.ToString(CultureInfo.InvariantCulture)})";
    }

    private static string Kill(ImmutableArray<SocketHolder> holders)
    {
        var pids = holders.SelectMany(holder => holder.Processes)
            .Where(process => process.IsPredecessor).Select(process => process.Pid).Distinct();
        return "kill " + string.Join(' ', pids.Select(pid => pid.ToString(CultureInfo.InvariantCulture)));
    }

    /// <summary>
    /// The CIDs that can exist: the machine's own, and two that a module each provides (net/vmw_vsock/af_vsock.c,
    /// vsock_find_cid).
    /// </summary>
    private static string Cid(ListenAddress address, BindEvidence evidence)
    {
        const uint local = 1, host = 2;
        var any = string.Create(CultureInfo.InvariantCulture, $"vsock://*:{address.Port} for every CID that exists or will");
        return address.Cid switch
        {
            local => $"CID 1 is this machine itself and needs the module vsock_loopback: modprobe vsock_loopback, or listen on {any}",
            host => $"CID 2 is the host of virtual machines and needs the module vhost_vsock: modprobe vhost_vsock, or listen on {any}",
            _ when evidence.LocalCid is { } own =>
                string.Create(CultureInfo.InvariantCulture, $"listen on vsock://{own}:{address.Port}, or on {any}"),
            _ => $"the hypervisor gives a machine its CID, and this machine shows none (/dev/vsock): listen on {any}",
        };
    }

    private static string Nearest(BindEvidence evidence)
    {
        var others = evidence.Addresses.Where(known => known.Interface != "lo").Take(4)
            .Select(known => $"{known.Address} on {known.Interface}").ToList();
        return others.Count == 0 ? "" : $"there are {string.Join(", ", others)}; ";
    }

    private static string DownInterface(ListenAddress address, BindEvidence evidence) =>
        evidence.Addresses.FirstOrDefault(known => !known.IsUp && IsSame(known.Address, address.Host))?.Interface ?? "IF";

    private static string SomeInterface(BindEvidence evidence) => evidence.Interfaces.FirstOrDefault(name => name != "lo") ?? "eth0";

    private static bool IsIPv4(ListenAddress address) =>
        address.Host is { } host && (host.AddressFamily == AddressFamily.InterNetwork || host.IsIPv4MappedToIPv6);

    private static bool IsSame(IPAddress known, IPAddress? host) =>
        host is not null && (known.Equals(host) || (host.IsIPv4MappedToIPv6 && known.Equals(host.MapToIPv4())));
}
