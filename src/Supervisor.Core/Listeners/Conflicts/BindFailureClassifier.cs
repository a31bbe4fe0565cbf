using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Plan;

namespace Supervisor.Core.Listeners.Conflicts;

/// <summary>
/// From the kernel's refusal to its cause. The kernel says one errno for fourteen situations; what tells them apart is
/// who else has the port, how far that socket has come, and which of the two shares. Pure: errno, specification and
/// evidence come in.
/// </summary>
/// <remarks>
/// Order of judgement for EADDRINUSE: a predecessor first, since waiting helps there; then live sockets, of which
/// SO_REUSEPORT is judged before addresses, because it is what both sides must change; then sockets that are bound
/// only, then connections, then TIME_WAIT. A flag that could not be seen is never taken for one or the other: the
/// advice says that it could not.
/// </remarks>
public static class BindFailureClassifier
{
    /// <summary>The diagnosis of a refused call.</summary>
    public static BindDiagnosis Classify(SystemCallFailure failure, ListenerSpec spec, BindEvidence evidence)
    {
        var address = spec.Address;
        var (cause, holders, fact) = failure.Name switch
        {
            "EADDRINUSE" when address.Kind.IsUnix() => UnixInUse(spec, evidence),
            "EADDRINUSE" when address.Kind.IsInternet() => InternetInUse(spec, evidence),
            "EADDRINUSE" => (BindCause.SameAddress, [], "another socket has it; who cannot be seen, this kernel lists no vsock sockets"),
            "EADDRNOTAVAIL" => NotAvailable(address, evidence),
            "EINVAL" => Invalid(spec, evidence),
            "EACCES" when address.Kind.IsUnix() => (BindCause.PathPermission, [], $"uid {evidence.Uid} may not make a file in the directory of {address.Path}"),
            "EROFS" => (BindCause.PathPermission, [], $"the directory of {address.Path} lies on a read-only file system"),
            "EACCES" => (BindCause.PrivilegedPort, [], $"port {address.Port} is below {(address.Kind == ListenerKind.Vsock ? 1024 : evidence.UnprivilegedPortStart)}, and this process does not have CAP_NET_BIND_SERVICE"),
            "EPERM" => (BindCause.OptionNotPermitted, [], $"{Option(failure)} needs a capability that this process does not have"),
            "ENODEV" => (BindCause.DeviceAbsent, [], $"there is no interface \"{spec.Bind.Device ?? address.Scope}\" in this network namespace"),
            "EAFNOSUPPORT" or "EPROTONOSUPPORT" or "ESOCKTNOSUPPORT" or "ENOPROTOOPT" or "EOPNOTSUPP" =>
                (BindCause.FamilyUnsupported, [], $"this kernel does not do {(failure.Call == "setsockopt" ? Option(failure) + " on " : "")}{address.Kind.Scheme()}:// sockets of that family"),
            "ENOENT" or "ENOTDIR" => (BindCause.DirectoryAbsent, [], $"the directory of {address.Path} does not exist"),
            "ENAMETOOLONG" => (BindCause.PathTooLong, [], $"the path has {address.PathBytes} bytes, and a UNIX socket's may have {ListenAddress.MaxUnixPathBytes}"),
            "EMFILE" => (BindCause.DescriptorLimit, [], "this process has no descriptor left"),
            "ENFILE" => (BindCause.DescriptorLimit, [], "the system has no open file left"),
            "ENOBUFS" or "ENOMEM" => (BindCause.KernelMemory, [], "the kernel has no memory for it"),
            _ => (BindCause.Unexplained, ImmutableArray<SocketHolder>.Empty, failure.ToString()),
        };

        return new BindDiagnosis
        {
            Address = address.ToString(),
            Errno = failure.Name,
            Cause = cause,
            Holders = holders,
            Verdict = fact,
            Advice = Advice(cause, spec, holders, evidence),
            IsPartial = evidence.IsPartial,
            ClearsIn = cause == BindCause.TimeWait ? holders.Max(holder => holder.Expires) : null,
        };
    }

    /// <summary>The refusal of a listener by another one of its own configuration, found before the kernel is asked.</summary>
    public static BindDiagnosis DuplicateInConfig(ListenerSpec spec, ListenerSpec other) => new()
    {
        Address = spec.Address.ToString(),
        Errno = "EADDRINUSE",
        Cause = BindCause.DuplicateInConfig,
        Verdict = spec.Address == other.Address
            ? $"listener \"{other.Name}\" of this configuration has the same address"
            : $"listener \"{other.Name}\" of this configuration has {other.Address}, and the two overlap",
        Advice = $"listener \"{spec.Name}\" ({spec.Address}) and listener \"{other.Name}\" ({other.Address}) cannot both be bound: "
            + (IsDualStackPair(spec.Address, other.Address)
                ? "set bind.ipv6_only = true on the [::] one, or drop the IPv4 one, which it covers"
                : "give one of the two another address or port, or both bind.reuse_port = true"),
    };

    private static (BindCause Cause, ImmutableArray<SocketHolder> Holders, string Fact) InternetInUse(ListenerSpec spec, BindEvidence evidence)
    {
        var wanted = Wanted(spec, evidence);
        var meeting = evidence.Holders.Where(holder => holder.Socket is { } socket && BindConflictModel.Meet(wanted, socket)).ToImmutableArray();

        // Where flags are known the model says exactly who is in the way; else everybody who meets the address may be.
        var inTheWay = meeting.Where(holder => !holder.FlagsKnown || BindConflictModel.Bind(wanted, [holder.Socket!]) is not null).ToImmutableArray();
        if (inTheWay.IsEmpty)
        {
            inTheWay = meeting;
        }

        if (inTheWay.IsEmpty)
        {
            return evidence.ShowsBound
                ? (BindCause.Unexplained, [], "the kernel says that the address is in use, and no socket that can be seen has it; it may just have been closed")
                : (BindCause.BoundNotListening, [], "a socket has bound it without listening; kernels before Linux 6.8 do not show whose");
        }

        var former = inTheWay.Where(holder => holder.Processes.Any(process => process.IsPredecessor)).ToImmutableArray();
        if (!former.IsEmpty)
        {
            return (BindCause.HeldByPredecessor, former, $"{ProcessDescription.Holders(former)} from before still {Has(former)} {former[0].Address}");
        }

        var live = inTheWay.Where(IsLive).ToImmutableArray();
        if (live.IsEmpty)
        {
            return NothingLive(inTheWay, evidence);
        }

        return Sharing(wanted, live, evidence) ?? ByAddress(spec, wanted, live);
    }

    /// <summary>A UDP socket has no listen(): whatever is bound and not connected serves.</summary>
    private static bool IsLive(SocketHolder holder) =>
        holder.State == BoundState.Listening || (holder is { State: BoundState.Bound, Socket.Space: PortSpace.Udp });

    private static (BindCause, ImmutableArray<SocketHolder>, string) NothingLive(ImmutableArray<SocketHolder> inTheWay, BindEvidence evidence)
    {
        var bound = inTheWay.Where(holder => holder.State == BoundState.Bound).ToImmutableArray();
        if (!bound.IsEmpty)
        {
            return (BindCause.BoundNotListening, bound, $"{BoundOnly(bound, bound[0].Address)}");
        }

        var open = inTheWay.Where(holder => holder.State == BoundState.Connected).ToImmutableArray();
        if (!open.IsEmpty)
        {
            return (BindCause.ConnectionsOpen, open, evidence.ShowsBound
                ? $"nobody listens there, but {Count(open.Length, "connection")} of {ProcessDescription.Holders(open)} still {(open.Length == 1 ? "uses" : "use")} the port"
                : $"{Count(open.Length, "connection")} of {ProcessDescription.Holders(open)} {(open.Length == 1 ? "uses" : "use")} the port");
        }

        var last = inTheWay.Max(holder => holder.Expires);
        return (BindCause.TimeWait, inTheWay, $"only {Count(inTheWay.Length, "closed connection")} in TIME_WAIT {(inTheWay.Length == 1 ? "is" : "are")} left there{(last is { } span ? $", the last for {Durations.Text(span)} more" : "")}");
    }

    private static (BindCause, ImmutableArray<SocketHolder>, string)? Sharing(BoundSocket wanted, ImmutableArray<SocketHolder> live, BindEvidence evidence)
    {
        if (wanted.ReusePort)
        {
            var without = live.Where(holder => holder is { FlagsKnown: true, Socket.ReusePort: false }).ToImmutableArray();
            if (!without.IsEmpty)
            {
                return (BindCause.ReusePortMismatch, without, $"{Names(without)} without SO_REUSEPORT, which is asked for here");
            }

            // Different users are a refusal by themselves; the same user's is one only where the flag is missing.
            var others = live.Where(holder => holder.Uid != evidence.Uid).ToImmutableArray();
            return others.IsEmpty
                ? (BindCause.ReusePortMismatch, live, $"{Names(live)} without SO_REUSEPORT, which is asked for here")
                : (BindCause.ReusePortOtherUser, others, $"{Names(others)} as uid {others[0].Uid}, this is uid {evidence.Uid}, and SO_REUSEPORT is shared by one user only");
        }

        var with = live.Where(holder => holder is { FlagsKnown: true, Socket.ReusePort: true }).ToImmutableArray();
        return with.IsEmpty ? null : (BindCause.ReusePortMismatch, with, $"{Names(with)} with SO_REUSEPORT, which is not asked for here");
    }

    private static (BindCause, ImmutableArray<SocketHolder>, string) ByAddress(ListenerSpec spec, BoundSocket wanted, ImmutableArray<SocketHolder> live)
    {
        // Of several, the one that is closest to what was asked for names the cause; all of them are owners.
        var ordered = live.OrderBy(holder => Relation(wanted, holder.Socket!)).ToImmutableArray();
        var cause = Relation(wanted, ordered[0].Socket!);
        var names = Names([.. ordered.Where(holder => Relation(wanted, holder.Socket!) == cause)]);
        return (cause, ordered, cause switch
        {
            BindCause.SameAddress => names,
            BindCause.CoveredByWildcard => $"{names}, which covers {spec.Address.Host}",
            BindCause.WildcardCoversExisting => $"{names}, which the wildcard would cover",
            _ when wanted.IsIPv4Only => $"{names}, which is dual-stack and covers the IPv4 side too",
            _ => $"{names}, which a [::] without ipv6_only would cover too",
        });
    }

    /// <summary>How the addresses of two sockets that meet stand to each other.</summary>
    private static BindCause Relation(BoundSocket wanted, BoundSocket holder)
    {
        if (wanted.IsIPv4Only != holder.IsIPv4Only)
        {
            return BindCause.DualStackOverlap;
        }

        return (wanted.IsWildcard, holder.IsWildcard) switch
        {
            (false, true) => BindCause.CoveredByWildcard,
            (true, false) => BindCause.WildcardCoversExisting,
            _ => BindCause.SameAddress,
        };
    }

    private static (BindCause Cause, ImmutableArray<SocketHolder> Holders, string Fact) UnixInUse(ListenerSpec spec, BindEvidence evidence)
    {
        var address = spec.Address;
        var holders = evidence.Holders;
        if (address.IsAbstract)
        {
            var live = holders.Where(holder => holder.State == BoundState.Listening || !address.Kind.Listens()).ToImmutableArray();
            return live.IsEmpty && !holders.IsEmpty
                ? (BindCause.BoundNotListening, holders, $"{BoundOnly(holders, holders[0].Address)}")
                : (BindCause.SameAddress, live, live.IsEmpty ? "another socket has that name" : Names(live));
        }

        return evidence.Path switch
        {
            UnixPathState.OtherFile => (BindCause.NotASocket, [], $"{evidence.FileKind ?? "another kind of file"} stands at {address.Path}"),
            UnixPathState.Stale => (BindCause.StaleUnixPath, [], $"the socket file {address.Path} is there, and nobody listens on it any more"),
            UnixPathState.BoundNotListening => (BindCause.BoundNotListening, holders, holders.IsEmpty
                ? $"a process has bound {address.Path} and does not listen"
                : $"{BoundOnly(holders, address.Path)}"),
            UnixPathState.Live when holders.Any(holder => holder.Processes.Any(process => process.IsPredecessor)) =>
                (BindCause.HeldByPredecessor, holders, $"{ProcessDescription.Holders(holders)} from before still {(ProcessDescription.AreSeveral(holders) ? "listen" : "listens")} on {address.Path}"),
            UnixPathState.Live => (BindCause.UnixPathInUse, holders, holders.IsEmpty
                ? $"somebody listens on {address.Path}, from another network namespace, so that it cannot be seen who"
                : Names(holders)),
            _ => (BindCause.Unexplained, holders, $"{address.Path} exists, and it cannot be seen what it is"),
        };
    }

    private static (BindCause, ImmutableArray<SocketHolder>, string) NotAvailable(ListenAddress address, BindEvidence evidence)
    {
        if (address.Host is not { } host)
        {
            return (BindCause.CidAbsent, [], string.Create(
                CultureInfo.InvariantCulture, $"this machine does not have the CID {address.Cid}{(evidence.LocalCid is { } own ? $": its own is {own}" : "")}"));
        }

        if (IsMulticast(host))
        {
            return (BindCause.NotLocalMulticast, [], $"{host} is a multicast address, which no interface here receives");
        }

        var plain = host.AddressFamily == AddressFamily.InterNetworkV6 ? new IPAddress(host.GetAddressBytes()) : host;
        var seen = plain.IsIPv4MappedToIPv6 ? plain.MapToIPv4() : plain;
        var known = evidence.Addresses.Where(known => known.Address.Equals(seen)).ToList();
        if (known.Find(known => !known.IsUp) is { } down)
        {
            return (BindCause.InterfaceDown, [], $"{host} belongs to {down.Interface}, which is down");
        }

        if (known.Find(known => known.IsDuplicate) is { } duplicate)
        {
            return (BindCause.AddressDuplicate, [], $"{host} on {duplicate.Interface} failed duplicate address detection: another host has it");
        }

        if (known.Find(known => known.IsTentative) is { } tentative)
        {
            return (BindCause.AddressTentative, [], $"duplicate address detection for {host} on {tentative.Interface} is not over");
        }

        if (seen.AddressFamily == AddressFamily.InterNetworkV6 && evidence.IPv6Disabled)
        {
            return (BindCause.FamilyDisabled, [], "IPv6 is switched off in this network namespace (net.ipv6.conf.all.disable_ipv6)");
        }

        return known.Count > 0
            ? (BindCause.AddressAbsent, [], $"{host} belongs to {string.Join(", ", known.Select(known => known.Interface))}, not to the interface asked for")
            : (BindCause.AddressAbsent, [], $"no interface of this network namespace has {host}");
    }

    private static (BindCause, ImmutableArray<SocketHolder>, string) Invalid(ListenerSpec spec, BindEvidence evidence)
    {
        _ = evidence;
        var address = spec.Address;
        if (address.Host is { AddressFamily: AddressFamily.InterNetworkV6 } host)
        {
            if (host.IsIPv4MappedToIPv6 && spec.Bind.IPv6Only)
            {
                return (BindCause.MappedIPv6Only, [], $"{host} is an IPv4 address, and ipv6_only excludes IPv4");
            }

            if (host.IsIPv6Multicast && address.Kind != ListenerKind.Udp)
            {
                return (BindCause.NotLocalMulticast, [], $"{host} is a multicast address, and a {address.Kind.Scheme()}:// socket cannot have one");
            }

            if ((host.IsIPv6LinkLocal || host.IsIPv6Multicast) && address.Scope is null && spec.Bind.Device is null)
            {
                return (BindCause.ScopeMissing, [], $"{host} is link-local: it exists once on each interface, and none is named");
            }
        }

        return (BindCause.Unexplained, [], "the kernel calls the request invalid");
    }

    private static string Advice(BindCause cause, ListenerSpec spec, ImmutableArray<SocketHolder> holders, BindEvidence evidence)
    {
        var address = spec.Address;
        var what = cause switch
        {
            BindCause.SameAddress or BindCause.CoveredByWildcard or BindCause.WildcardCoversExisting => address.Kind.IsInternet()
                ? $"{Stop(holders)}, or choose another port{(cause == BindCause.SameAddress ? "" : " or addresses that do not overlap")}; to share it, both need SO_REUSEPORT (bind.reuse_port) and the same user"
                : $"{Stop(holders)}, or choose another name",
            BindCause.DualStackOverlap => address.IsAnyFamily || IsIPv6Wildcard(address)
                ? $"set bind.ipv6_only = true to leave the IPv4 side to it, or {Stop(holders, capital: false)}"
                : $"set ipv6_only (IPV6_V6ONLY) on the [::] listener, or {Stop(holders, capital: false)}, or use it for IPv4 too",
            BindCause.HeldByPredecessor => $"wait until it has ended (on_conflict.wait does that), or end it: {Kill(holders)}",
            BindCause.ReusePortMismatch => AsksForReusePort(spec)
                ? $"switch SO_REUSEPORT on in the other one too before its bind(), or leave bind.reuse_port out and {Stop(holders, capital: false)}"
                : "set bind.reuse_port = true to share the address with it, if both are the same user's, or choose another port",
            BindCause.ReusePortOtherUser => $"run both as the same user (now uid {evidence.Uid} and uid {(holders.IsEmpty ? "?" : holders[0].Uid)}), or let one socket be made by listend and handed to both",
            BindCause.BoundNotListening => holders.Length == 0
                ? "find the process that reserves the port (a bind() without listen()), or choose another port"
                : $"{Stop(holders)}, or let it begin to listen and choose another address: a bound socket reserves it",
            BindCause.TimeWait => spec.Bind.ReuseAddress == false || address.Kind == ListenerKind.Udp
                ? "set bind.reuse_address = true, or wait for TIME_WAIT to end (on_conflict.wait does that)"
                : "the socket that was closed lacked SO_REUSEADDR: wait for TIME_WAIT to end (on_conflict.wait does that), and set it there",
            BindCause.ConnectionsOpen => IsOutgoing(holders)
                ? $"an outgoing connection was given this port: wait for its end, choose a port outside net.ipv4.ip_local_port_range, or reserve it with net.ipv4.ip_local_reserved_ports"
                : $"wait for the connections to end (on_conflict.wait does that), or end {Owner(holders)}; SO_REUSEADDR on both sides (the default here) avoids it",
            BindCause.StaleUnixPath => spec.Unix.RemoveStale
                ? $"remove it: rm {address.Path} (remove_stale could not)"
                : $"remove it: rm {address.Path}, or set unix.remove_stale = true",
            BindCause.UnixPathInUse => $"{Stop(holders)}, or choose another path",
            BindCause.NotASocket => $"choose another path, or move the file away: listend never removes what is no socket",
            BindCause.DuplicateInConfig => "give one of the two another address",
            BindCause.AddressAbsent => $"see ip addr; {Nearest(evidence)}wait until it appears (on_conflict.wait watches for it), or set bind.free_bind = true to bind it before it does",
            BindCause.CidAbsent => Cid(address, evidence),
            BindCause.AddressTentative => "wait for a second or two (on_conflict.wait watches for it), or set bind.free_bind = true",
            BindCause.AddressDuplicate => "take the address from one of the two hosts; ip -6 addr shows it as dadfailed",
            BindCause.InterfaceDown => $"ip link set {evidence.Addresses.FirstOrDefault(known => !known.IsUp && Same(known.Address, address.Host))?.Interface ?? "IF"} up, or wait until somebody does (on_conflict.wait watches for it)",
            BindCause.FamilyDisabled => "sysctl net.ipv6.conf.all.disable_ipv6=0, or listen on an IPv4 address",
            BindCause.NotLocalMulticast => "listen on udp:// and the wildcard, and join the group with datagram.multicast",
            BindCause.ScopeMissing => $"name the interface: {address.Kind.Scheme()}://[{address.Host}%{evidence.Interfaces.FirstOrDefault(name => name != "lo") ?? "eth0"}]:{address.Port}",
            BindCause.MappedIPv6Only => $"write {address.Kind.Scheme()}://{address.Host?.MapToIPv4()}:{address.Port}, or leave bind.ipv6_only out",
            BindCause.PrivilegedPort => $"grant CAP_NET_BIND_SERVICE (AmbientCapabilities= in the unit), choose a port from {evidence.UnprivilegedPortStart} on, or lower net.ipv4.ip_unprivileged_port_start",
            BindCause.PathPermission => $"give uid {evidence.Uid} the right to write to {System.IO.Path.GetDirectoryName(address.Path)}, or choose another directory",
            BindCause.DeviceAbsent => evidence.Interfaces.IsEmpty ? "see ip link" : $"there are {string.Join(", ", evidence.Interfaces)}",
            BindCause.FamilyUnsupported => "choose another family, or a kernel that has it",
            BindCause.OptionNotPermitted => "grant CAP_NET_ADMIN or CAP_NET_RAW, or leave the option out",
            BindCause.DirectoryAbsent => $"make it first: mkdir -p {System.IO.Path.GetDirectoryName(address.Path)} (RuntimeDirectory= in the unit)",
            BindCause.PathTooLong => $"choose a path of {ListenAddress.MaxUnixPathBytes} bytes or less",
            BindCause.DescriptorLimit => "raise the limit of open files (LimitNOFILE= in the unit, fs.file-max for the system)",
            BindCause.KernelMemory => "free memory, or lower net.core and buffer settings",
            BindCause.Unexplained => "ask again; if it stays so, look with ss -tulpnxa as root",
            _ => throw new ArgumentOutOfRangeException(nameof(cause)),
        };

        return what + Unseen(cause, spec, holders, evidence);
    }

    /// <summary>What could not be seen, in words.</summary>
    private static string Unseen(BindCause cause, ListenerSpec spec, ImmutableArray<SocketHolder> holders, BindEvidence evidence)
    {
        var text = new List<string>();
        if (evidence.IsPartial)
        {
            text.Add($"not all processes could be looked at in time: run listenctl explain {spec.Address} for all of them");
        }
        else if (holders.FirstOrDefault(holder => holder.Processes.IsEmpty && holder.Inode != 0) is { } hidden)
        {
            text.Add(evidence.HiddenProcesses > 0
                ? $"the socket {hidden.Address} is held by a process of uid {hidden.Uid} that is not visible to uid {evidence.Uid} ({Count(evidence.HiddenProcesses, "process", "processes")} could not be looked into): ask again as root"
                : $"the socket {hidden.Address} (uid {hidden.Uid}) is held by no process that can be seen from here: by one in another process namespace, or by the kernel");
        }

        if (address(spec) && holders.Any(holder => !holder.FlagsKnown && IsLive(holder))
            && cause is BindCause.SameAddress or BindCause.CoveredByWildcard or BindCause.WildcardCoversExisting or BindCause.DualStackOverlap or BindCause.ReusePortOtherUser)
        {
            text.Add(cause == BindCause.ReusePortOtherUser
                ? $"whether the other one has SO_REUSEPORT at all cannot be seen by uid {evidence.Uid}, and would not help while the users differ"
                : $"whether the other one has SO_REUSEPORT cannot be seen by uid {evidence.Uid}");
        }

        if (evidence.Namespace is { } netns)
        {
            text.Add($"all of this is so in network namespace {netns}, which is not that of process 1");
        }

        return text.Count == 0 ? "" : ". " + string.Join(". ", text.Select(Capital));

        static bool address(ListenerSpec spec) => spec.Address.Kind.IsInternet();
    }

    /// <summary>The socket that the listener would be.</summary>
    private static BoundSocket Wanted(ListenerSpec spec, BindEvidence evidence) =>
        BindRequest.Socket(spec, ListenerPlan.Domains(spec.Address)[0], evidence.Uid, evidence.Device);

    private static string Names(ImmutableArray<SocketHolder> holders) => $"{ProcessDescription.Holders(holders)} {Has(holders)} {holders[0].Address}";

    private static string Has(ImmutableArray<SocketHolder> holders) => (holders[0].State, ProcessDescription.AreSeveral(holders)) switch
    {
        (BoundState.Listening, false) => "listens on",
        (BoundState.Listening, true) => "listen on",
        (BoundState.Bound, false) => "is bound to",
        (BoundState.Bound, true) => "are bound to",
        (_, false) => "uses",
        (_, true) => "use",
    };

    private static string BoundOnly(ImmutableArray<SocketHolder> holders, object? address) => ProcessDescription.AreSeveral(holders)
        ? $"{ProcessDescription.Holders(holders)} have bound {address} and do not listen"
        : $"{ProcessDescription.Holders(holders)} has bound {address} and does not listen";

    private static string Stop(ImmutableArray<SocketHolder> holders, bool capital = false)
    {
        _ = capital;
        var process = holders.SelectMany(holder => holder.Processes).FirstOrDefault();
        return process is null ? "stop the process that holds it"
            : process.Unit is { } unit && unit.EndsWith(".service", StringComparison.Ordinal) ? $"stop {process.Command} (systemctl stop {unit})"
            : $"stop {process.Command} (pid {process.Pid.ToString(CultureInfo.InvariantCulture)})";
    }

    private static string Kill(ImmutableArray<SocketHolder> holders)
    {
        var pids = holders.SelectMany(holder => holder.Processes).Where(process => process.IsPredecessor).Select(process => process.Pid).Distinct();
        return "kill " + string.Join(' ', pids.Select(pid => pid.ToString(CultureInfo.InvariantCulture)));
    }

    private static string Owner(ImmutableArray<SocketHolder> holders) => holders.All(holder => holder.Processes.IsEmpty) ? "the process that has them" : ProcessDescription.Holders(holders);

    private static bool IsOutgoing(ImmutableArray<SocketHolder> holders) => holders.All(holder => holder.StateName == "syn-sent") || holders.Any(holder => holder.Socket?.Space == PortSpace.Udp);

    /// <summary>Which CIDs there can be: the machine's own, and two that a module each brings (net/vmw_vsock/af_vsock.c, vsock_find_cid).</summary>
    private static string Cid(ListenAddress address, BindEvidence evidence)
    {
        const uint local = 1, host = 2;
        var any = string.Create(CultureInfo.InvariantCulture, $"vsock://*:{address.Port} for any that there is or will be");
        return address.Cid switch
        {
            local => $"CID 1 is this machine talking to itself, which the module vsock_loopback brings: modprobe vsock_loopback, or listen on {any}",
            host => $"CID 2 is the host of virtual machines, which the module vhost_vsock brings: modprobe vhost_vsock, or listen on {any}",
            _ when evidence.LocalCid is { } own => string.Create(CultureInfo.InvariantCulture, $"listen on vsock://{own}:{address.Port}, or on {any}"),
            _ => $"a machine has the CID that its hypervisor gave it, and this one has none that can be seen (/dev/vsock): listen on {any}",
        };
    }

    private static string Nearest(BindEvidence evidence)
    {
        var others = evidence.Addresses.Where(known => !known.Interface.Equals("lo", StringComparison.Ordinal)).Take(4).Select(known => $"{known.Address} on {known.Interface}").ToList();
        return others.Count == 0 ? "" : $"there are {string.Join(", ", others)}; ";
    }

    private static string Option(SystemCallFailure failure) =>
        failure.Arguments.Split(", ") is [_, { } option, ..] ? option : failure.Call;

    private static bool AsksForReusePort(ListenerSpec spec) => spec.Bind.ReusePort || spec.Shards > 1;

    private static bool IsIPv6Wildcard(ListenAddress address) => address.Host?.Equals(IPAddress.IPv6Any) == true;

    private static bool IsDualStackPair(ListenAddress first, ListenAddress second) => IsIPv4(first) != IsIPv4(second);

    private static bool IsIPv4(ListenAddress address) => address.Host is { } host && (host.AddressFamily == AddressFamily.InterNetwork || host.IsIPv4MappedToIPv6);

    private static bool Same(IPAddress known, IPAddress? host) => host is not null && (known.Equals(host) || (host.IsIPv4MappedToIPv6 && known.Equals(host.MapToIPv4())));

    private static bool IsMulticast(IPAddress host) => host.AddressFamily == AddressFamily.InterNetworkV6
        ? host.IsIPv6Multicast
        : host.GetAddressBytes()[0] is >= 224 and <= 239;

    private static string Count(int count, string one, string? many = null) => $"{count} {(count == 1 ? one : many ?? one + "s")}";

    /// <summary>As a sentence begins; an address stays as it is written.</summary>
    private static string Capital(string text) =>
        text.Split(' ')[0].Contains("://", StringComparison.Ordinal) ? text : char.ToUpperInvariant(text[0]) + text[1..];
}
