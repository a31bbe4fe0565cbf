using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;
using Supervisor.Core.Listeners.Plan;
using Supervisor.Linux.Evidence;
using Supervisor.Linux.Kernel;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Listeners;

/// <summary>The steps of a plan, each one or two system calls, each with its entry in the history.</summary>
public sealed partial class ListenerFactory
{
    private SystemCallFailure? Perform(ListenerHandle handle, ListenerPlan plan, PlanStep step) => step switch
    {
        CreateStep create => Create(handle, create),
        SetOptionStep set => Set(handle, set),
        SocketModeStep mode => Note(handle, mode.Phase, "fchmod", "mode", Mode(mode.Mode), Files.SetMode(handle.Subject, mode.Mode), null),
        BindStep bind => Bind(handle, plan, bind.Address),
        PathOwnerStep owner => SetOwner(handle, owner),
        PathModeStep mode => SetPathMode(handle, mode),
        JoinGroupStep join => Join(handle, join.Membership),
        ListenStep listen => Listen(handle, listen.Backlog),
        _ => throw new ArgumentOutOfRangeException(nameof(step), step, null),
    };

    private SystemCallFailure? Create(ListenerHandle handle, CreateStep create, string? occasion = null)
    {
        var socket = ListenerSockets.Open(create, out var failure);
        if (socket is not null && !IsLeft(socket))
        {
            socket.Dispose();
            failure = new SystemCallError("socket", EMFILE).With(string.Create(CultureInfo.InvariantCulture, $"{ListenerSockets.Describe(create)}: the last {DescriptorReserve.FromListeners} of {_limit} descriptors are kept for the daemon's own use and its workers"));
        }
        else if (socket is not null)
        {
            handle.Put(socket);
        }

        if (_created?.Step != create)
        {
            _created = (create, $"{ListenerSockets.Describe(create)}; close-on-exec{(create.NonBlocking ? ", O_NONBLOCK" : "")}");
        }

        handle.History.Add(
            HandlePhase.Create, "socket", errno: failure?.Name, verdict: failure is null ? Verdict.Exact : Verdict.Refused,
            actor: _self, note: On(occasion ?? handle.Occasion, _created.Value.Note));
        if (handle is { DropsUntilSteered: true, Descriptor: not null })
        {
            Deafen(handle);
        }

        return failure;
    }

    /// <summary>Whether that descriptor may be a listener's. The limit is asked for where it seems to have been reached: it may have been raised since.</summary>
    private bool IsLeft(DescriptorHandle socket)
    {
        var wanted = (ulong)socket.Number + DescriptorReserve.FromListeners;
        return wanted < _limit || wanted < (_limit = Processes.DescriptorLimit());
    }

    private SystemCallFailure? Set(ListenerHandle handle, SetOptionStep step, string? occasion = null)
    {
        var error = OptionAccess.Set(handle.Subject, step.Option, step.Value);
        var effective = OptionAccess.Get(handle.Subject, step.Option);
        var verdict = error is null ? ReadBack.Compare(step.Option, step.Value, effective) : Verdict.Refused;
        var bound = step.Option.BoundedBy is { } sysctl && verdict != Verdict.Exact ? Sysctl.ReadNumber(sysctl) : null;
        var note = error is not null ? Advice(step, error.Value)
            : ReadBack.Explain(step.Option, step.Value, effective, bound) ?? (step.Option == SocketOptions.FastOpen ? FastOpenSwitch() : null);
        handle.History.Add(step.Phase, "setsockopt", step.Option.Name, step.Value, effective, error?.Name, verdict, _self, On(occasion, note));
        handle.Remember(step.Option, step.Value, effective, verdict);
        if (error is null)
        {
            return null;
        }

        if (step.Option.AffectsBindOwnership)
        {
            return error.Value.With($"{step.Option.LevelName}, {step.Option.Name}, {step.Value}");
        }

        return step.Fallback is null ? null : Set(handle, step.Fallback, occasion);
    }

    private SystemCallFailure? Bind(ListenerHandle handle, ListenerPlan plan, ListenAddress address)
    {
        uint scopeId = 0;
        if (address.Scope is { } scope)
        {
            if (NetworkInterfaces.Index(scope) is not { } index)
            {
                handle.History.Add(
                    HandlePhase.Bind, "if_nametoindex", requested: OptionValue.Of(scope), errno: "ENODEV", verdict: Verdict.Refused, actor: _self,
                    note: $"there is no interface \"{scope}\" in this network namespace, so {address} cannot be bound");
                return new SystemCallError("if_nametoindex", ENODEV).With(scope);
            }

            scopeId = index;
        }

        if (Sockaddr.Encode(address, scopeId) is not { } raw)
        {
            return Refuse(handle, new SystemCallError("bind", ENAMETOOLONG), address, $"the path has {address.PathBytes} bytes, a UNIX socket's may have {ListenAddress.MaxUnixPathBytes}");
        }

        if (address.Kind.IsUnix() && !address.IsAbstract)
        {
            return BindPath(handle, plan, address, raw);
        }

        var error = Sockets.Bind(handle.Subject, raw);
        return error is null ? Bound(handle, address) : Refuse(handle, error.Value, address, null);
    }

    private SystemCallFailure? BindPath(ListenerHandle handle, ListenerPlan plan, ListenAddress address, byte[] raw)
    {
        using var place = SocketPlace.Open(address.Path!, out var unopened, out var note);
        if (place is null)
        {
            // Where nobody else has a hand in it bind() says the same. A directory that did not answer is not asked again.
            var hasAnswered = unopened.Name != "ETIMEDOUT";
            if (note is null && hasAnswered)
            {
                return Sockets.Bind(handle.Subject, raw) is { } refused ? Refuse(handle, refused, address, null) : Bound(handle, address);
            }

            var failure = Refuse(handle, unopened, address, note);
            return hasAnswered ? failure with { Call = "bind" } : failure;
        }

        var error = place.Bind(handle.Subject, raw);
        if (error?.Errno == EADDRINUSE && plan.Spec.Unix.RemoveStale)
        {
            Refuse(handle, error.Value, address, "remove_stale: looking whether anybody listens there");
            if (!StaleSocket.Remove(place, address.Kind, out var why))
            {
                return error.Value.With($"{address}: {why}");
            }

            handle.History.Add(HandlePhase.Bind, "unlinkat", actor: _self, note: $"{address.Path}: {why}");
            error = place.Bind(handle.Subject, raw);
        }

        if (error is not null)
        {
            return Refuse(handle, error.Value, address, note);
        }

        Bound(handle, address);
        using var file = place.PinBound(out _);
        if (file is not null && Files.GetStatus(file, out var status) is null)
        {
            handle.PathIdentity = (status.Device, status.Inode);
        }

        return null;
    }

    private SystemCallFailure? Bound(ListenerHandle handle, ListenAddress address)
    {
        handle.History.Add(HandlePhase.Bind, "bind", requested: OptionValue.Of(handle.Requested), effective: OptionValue.Of(address == handle.Spec.Address ? handle.Requested : address.ToString()), actor: _self);
        return null;
    }

    private SystemCallFailure Refuse(ListenerHandle handle, SystemCallError error, ListenAddress address, string? note)
    {
        handle.History.Add(HandlePhase.Bind, error.Call, requested: OptionValue.Of(address.ToString()), errno: error.Name, verdict: Verdict.Refused, actor: _self, note: note);
        return error.With(note is null ? address.ToString() : $"{address}: {note}");
    }

    private SystemCallFailure? SetOwner(ListenerHandle handle, PathOwnerStep step)
    {
        AccountError? unknown = null;
        var user = step.User is null ? null : UserDirectory.Host.FindUser(step.User, out unknown);
        var group = step.Group is null || unknown is not null ? null : UserDirectory.Host.FindGroup(step.Group, out unknown);
        var value = OptionValue.Of($"{step.User}:{step.Group}");
        if (unknown is not null)
        {
            // Whom the socket file belongs to decides who may connect: without the owner asked for it must not go on.
            var missing = user is null && step.User is not null ? $"user \"{step.User}\": {unknown.Reason}" : $"group \"{step.Group}\": {unknown.Reason}";
            handle.History.Add(step.Phase, "fchownat", "owner", value, verdict: Verdict.Refused, errno: "EINVAL", actor: _self, note: missing);
            return new SystemCallError("fchownat", EINVAL).With($"{step.Path}, {value}: {missing}");
        }

        using var file = PinOwn(handle, step.Path, out var pinned);
        var error = file is null ? pinned : Files.SetPinnedOwner(file, user?.Uid ?? uint.MaxValue, group ?? uint.MaxValue);
        return Note(handle, step.Phase, "fchownat", "owner", value, error, error?.Name == "EPERM" ? "needs CAP_CHOWN" : null);
    }

    private SystemCallFailure? SetPathMode(ListenerHandle handle, PathModeStep step)
    {
        // What the umask took; a mode that is right already needs no second call.
        using var file = PinOwn(handle, step.Path, out var pinned);
        return file is not null && Files.GetStatus(file, out var status) is null && status.Permissions == step.Mode
            ? null
            : Note(handle, step.Phase, "chmod", "mode", Mode(step.Mode), file is null ? pinned : Files.SetPinnedMode(file, step.Mode), null);
    }

    /// <summary>
    /// The socket file that bind() made. Whoever may write to its directory can have put another file, or a link to one,
    /// in its place since, and must not get that file's owner and mode changed by us.
    /// </summary>
    private static DescriptorHandle? PinOwn(ListenerHandle handle, string path, out SystemCallError error)
    {
        using var place = SocketPlace.Open(path, out error, out _);
        var file = place?.Pin(out error);
        if (file is not null && (Files.GetStatus(file, out var status) is not null || (status.Device, status.Inode) != handle.PathIdentity))
        {
            file.Dispose();
            error = new SystemCallError("open", ESTALE);
            return null;
        }

        return file;
    }

    private SystemCallFailure? Join(ListenerHandle handle, MulticastMembership membership, bool leave = false, string? occasion = null)
    {
        var name = $"MCAST_{(leave ? "LEAVE" : "JOIN")}_{(membership.Source is null ? "" : "SOURCE_")}GROUP";
        var value = OptionValue.Of($"{membership.Group}{(membership.Source is null ? "" : $" from {membership.Source}")}{(membership.Interface is null ? "" : $" on {membership.Interface}")}");
        uint index = 0;
        if (membership.Interface is { } @interface)
        {
            if (NetworkInterfaces.Index(@interface) is not { } known)
            {
                return Note(
                    handle, HandlePhase.PreListen, "if_nametoindex", name, value, new SystemCallError("if_nametoindex", ENODEV),
                    $"there is no interface \"{@interface}\" in this network namespace, so the group cannot be joined");
            }

            index = known;
        }

        // struct group_req and group_source_req, linux/in.h: the interface's number, padding, then sockaddr_storage each.
        Span<byte> request = stackalloc byte[8 + (Sockaddr.MaxLength * 2)];
        request.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(request, index);
        Sockaddr.Encode(membership.Group, 0).CopyTo(request[8..]);
        if (membership.Source is not null)
        {
            Sockaddr.Encode(membership.Source, 0).CopyTo(request[(8 + Sockaddr.MaxLength)..]);
        }
        else
        {
            request = request[..(8 + Sockaddr.MaxLength)];
        }

        var level = membership.Group.AddressFamily == AddressFamily.InterNetworkV6 ? IPPROTO_IPV6 : IPPROTO_IP;
        var error = Sockets.SetBytes(handle.Subject, level, membership.Source is null ? (leave ? MCAST_LEAVE_GROUP : MCAST_JOIN_GROUP) : leave ? MCAST_LEAVE_SOURCE_GROUP : MCAST_JOIN_SOURCE_GROUP, request);
        return Note(handle, HandlePhase.PreListen, "setsockopt", name, value, error, On(occasion, error?.Errno == ENODEV ? "no interface is named, and no route leads to the group: set interface" : null));
    }

    private SystemCallFailure? Listen(ListenerHandle handle, int backlog, string? occasion = null)
    {
        var error = Sockets.Listen(handle.Subject, backlog);
        if (error is not null)
        {
            handle.History.Add(HandlePhase.Listen, "listen", "backlog", OptionValue.Of(backlog), errno: error.Value.Name, verdict: Verdict.Refused, actor: _self, note: On(occasion, error.Value.Text));
            return error.Value.With(backlog.ToString(CultureInfo.InvariantCulture));
        }

        Files.GetStatus(handle.Subject, out var status);
        var effective = AcceptQueue.Read(handle.Subject, handle.Spec.Address.Kind, status.Inode)?.Limit;
        var somaxconn = effective is null || effective < backlog ? Sysctl.ReadNumber("net.core.somaxconn") : null;
        handle.History.Add(
            HandlePhase.Listen, "listen", "backlog", OptionValue.Of(backlog), effective is { } limit ? OptionValue.Of(limit) : null,
            verdict: effective is null || effective == backlog ? Verdict.Exact : Verdict.Adjusted, actor: _self,
            note: On(occasion, ReadBack.ExplainBacklog(backlog, effective, somaxconn)));
        return null;
    }

    /// <summary>The last step: the address that the kernel gave, and the socket's identity.</summary>
    internal SystemCallFailure? Verify(ListenerHandle handle)
    {
        Span<byte> raw = stackalloc byte[Sockaddr.MaxLength];
        var error = Sockets.GetSocketName(handle.Subject, raw, out var length);
        handle.Effective = error is null ? Sockaddr.Decode(handle.Spec.Address.Kind, raw[..length], handle.Spec.Address) : null;
        Files.GetStatus(handle.Subject, out var status);
        handle.Inode = status.Inode;
        var requested = OptionValue.Of(handle.Requested);
        var effective = handle.EffectiveText is { } text ? OptionValue.Of(text) : (OptionValue?)null;
        handle.History.Add(
            HandlePhase.Verify, "getsockname", "address", requested, effective, error?.Name,
            error is not null ? Verdict.Refused : requested == effective ? Verdict.Exact : Verdict.Adjusted, _self,
            handle.Spec.Address.IsAnyFamily
                ? handle.Domain == SocketDomain.IPv6
                    ? handle.Spec.Bind.IPv6Only ? "every IPv6 address" : "every IPv6 and every IPv4 address (dual-stack)"
                    : "every IPv4 address: this host has no IPv6"
                : handle.Spec.Address.Port == 0 && handle.Effective?.Port > 0 ? "port 0: the kernel chose a free one" : null);
        return error?.With(handle.Requested);
    }

    private SystemCallFailure? Note(ListenerHandle handle, HandlePhase phase, string call, string option, OptionValue value, SystemCallError? error, string? note)
    {
        handle.History.Add(phase, call, option, value, error is null ? value : null, error?.Name, error is null ? Verdict.Exact : Verdict.Refused, _self, note ?? error?.Text);
        return null;
    }

    private static string? On(string? occasion, string? note) => occasion is null ? note : note is null ? occasion : $"{occasion}: {note}";

    private static string Advice(SetOptionStep step, SystemCallError error) => error.Name switch
    {
        "EPERM" => $"not permitted: {step.Option.Setting} needs {Capability(step.Option)}",
        "ENOPROTOOPT" or "EOPNOTSUPP" => $"this kernel does not have {step.Option.Name} for such a socket: leave out {step.Option.Setting}",
        "ENOENT" when step.Option == SocketOptions.Congestion => $"no such congestion control here; net.ipv4.tcp_available_congestion_control = {Sysctl.Read("net.ipv4.tcp_available_congestion_control")}",
        "ENODEV" => $"there is no interface \"{step.Value}\" in this network namespace",
        _ => $"{error.Text}: see {step.Option.Setting}",
    };

    /// <summary>The queue is there, but for whom: bit 2 of the sysctl opens it (net/ipv4/tcp_fastopen.c, tcp_try_fastopen).</summary>
    private static string? FastOpenSwitch() => Sysctl.ReadNumber("net.ipv4.tcp_fastopen") is { } value && (value & 2) == 0
        ? string.Create(CultureInfo.InvariantCulture, $"no request of it is taken while net.ipv4.tcp_fastopen = {value}: add 2, which lets servers have it")
        : null;

    private static string Capability(SocketOption option) =>
        option == SocketOptions.Congestion ? "CAP_NET_ADMIN for a congestion control outside net.ipv4.tcp_allowed_congestion_control"
        : option == SocketOptions.BindToDevice ? "CAP_NET_RAW"
        : "CAP_NET_ADMIN";

    private static OptionValue Mode(int mode) => OptionValue.Of("0" + Convert.ToString(mode, 8));
}
