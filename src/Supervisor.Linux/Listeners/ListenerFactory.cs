using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;
using Serilog;
using Supervisor.Core.Listeners;
using Supervisor.Linux.Evidence;
using Supervisor.Native;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// Carries out a <see cref="ListenerPlan"/>: makes the calls in their order, reads each value back, and writes every call
/// into the handle's history, the refused ones too. A refusal ends the attempt only where it decides who owns the
/// address (or is socket, bind or listen itself).
/// </summary>
public sealed partial class ListenerFactory
{
    private const int SockStream = 1;
    private const int SockDgram = 2;
    private const int SockSeqpacket = 5;
    private const int IpprotoIp = 0;
    private const int IpprotoIpv6 = 41;
    private const int McastJoinGroup = 42;
    private const int McastJoinSourceGroup = 46;
    private const int AddressInUse = 98;
    private const int AddressNotAvailable = 99;
    private const int FamilyNotSupported = 97;
    private const int NoDevice = 19;

    private readonly TimeProvider _time;
    private readonly ListenerLog _log;
    private readonly Action<ListenerHandle, HistoryFact> _recorded;
    private readonly HistoryFacts _facts = new();

    /// <summary>The last plan: most of the next listeners are made likewise.</summary>
    private ListenerPlan? _plan;

    /// <summary>What the history says of the last socket that was made: most of the next ones are made likewise.</summary>
    private (CreateStep Step, string Note)? _created;

    private readonly HistoryActor _self = new(Processes.CurrentPid, "listend");

    /// <summary>A factory that stamps histories with <paramref name="time"/> and logs to <paramref name="log"/>.</summary>
    public ListenerFactory(TimeProvider time, ILogger log)
    {
        _time = time;
        _log = new ListenerLog(log, time);
        _recorded = _log.Entry;
    }

    /// <summary>An empty handle whose history goes to the log.</summary>
    internal ListenerHandle Prepare(ListenerSpec spec)
    {
        var handle = new ListenerHandle(spec, _time, _facts);
        handle.Recorded += _recorded;
        return handle;
    }

    /// <summary>Who counts as a predecessor of a listener's services, when its address is taken.</summary>
    public Func<ListenerSpec, Predecessors> PredecessorsOf { get; init; } = static _ => Predecessors.OfAnyService;

    /// <summary>To be called before so many listeners are made one after the other, and disposed of after: no collection comes in between, and there is room for their descriptors.</summary>
    public static CollectionPause MakeMany(int listeners)
    {
        const int many = 2048;
        if (listeners >= many)
        {
            // Whoever grows the table is made to wait; the first listeners have room in it as it is.
            new Thread(static count => Files.GrowTable((int)count!)) { IsBackground = true, Name = "table" }.Start(listeners);
        }

        // A handle with its history takes a third of it; the rest is the plan, and the event for the log.
        const int bytesEach = 3 * 1024;
        return CollectionPause.For(listeners, bytesEach);
    }

    /// <summary>Makes the listener. The handle that comes back has a socket or a <see cref="ListenerHandle.Failure"/>.</summary>
    public ListenerHandle Create(ListenerSpec spec)
    {
        var handle = Prepare(spec);
        Make(handle);
        if (handle.Failure is null)
        {
            _log.Made(handle);
        }
        else
        {
            _log.Failed(handle);
        }

        return handle;
    }

    /// <summary>
    /// Tries again where <see cref="Create"/> failed; the history goes on. True where the handle has its socket now, else
    /// <see cref="ListenerHandle.Diagnosis"/> is the new one.
    /// </summary>
    public bool Retry(ListenerHandle handle)
    {
        var before = handle.Diagnosis;
        Make(handle);
        if (handle.Failure is null)
        {
            _log.Made(handle);
        }
        else if (handle.Diagnosis?.Cause != before?.Cause)
        {
            _log.Failed(handle);
        }

        return handle.Failure is null;
    }

    /// <summary>
    /// Makes the socket, or says why not. A holder may go between the refusal and the look at it; where that can have
    /// happened the kernel is asked again, since nothing would announce it a second time.
    /// </summary>
    private void Make(ListenerHandle handle)
    {
        const int mostAttempts = 3;
        for (var attempt = 1; attempt <= mostAttempts; attempt++)
        {
            MakeOnce(handle);
            if (handle.Diagnosis is not { } diagnosis || !BindDiagnostics.IsFleeting(diagnosis))
            {
                return;
            }
        }
    }

    private void MakeOnce(ListenerHandle handle)
    {
        var spec = handle.Settled is { } address ? handle.Spec with { Address = address } : handle.Spec;
        foreach (var domain in ListenerPlan.Domains(spec.Address))
        {
            handle.Failure = Attempt(handle, _plan = ListenerPlan.For(spec, domain, _plan));
            handle.Diagnosis = null;
            if (handle.Failure is null)
            {
                return;
            }

            RemovePath(handle);
            Abandon(handle);

            // "*" goes on to IPv4 only where this host or namespace has no IPv6; any other refusal is the answer.
            if (handle.Spec.Bind.IPv6Only || handle.Failure.Errno is not (FamilyNotSupported or AddressNotAvailable))
            {
                break;
            }
        }

        handle.Diagnosis = BindDiagnostics.Explain(handle.Failure!, spec, handle.Domain, PredecessorsOf(handle.Spec));
    }

    /// <summary>
    /// Makes a listener anew whose socket was shut down, on the address that it had: a port that the kernel chose is asked
    /// for by its number, since the socket has lost it (net/ipv4/tcp.c, tcp_set_state) and listen() alone would move the
    /// listener to another one. Where the address cannot be bound a second time while workers hold the old socket, that one
    /// is bound and set to listen again. False where neither can be done: the handle then has a
    /// <see cref="ListenerHandle.Failure"/> and no socket.
    /// </summary>
    public bool Remake(ListenerHandle handle)
    {
        using var old = Files.Duplicate(handle.Descriptor!, out _);
        handle.Settled = handle.Effective;
        RemovePath(handle);
        handle.History.Add(HandlePhase.Close, "close", actor: _self, note: "the socket that was shut down; workers keep theirs");
        handle.Reset();
        Make(handle);
        if (handle.Failure is not null && old is not null && handle.Settled is { } address && SocketAddress.Encode(address) is { } raw)
        {
            Sockets.Bind(old, raw);
            if (Sockets.Listen(old, handle.Spec.Listen.Backlog) is null && SocketIdentity.Read(old)?.Address == address
                && Files.Duplicate(old, out _) is { } revived)
            {
                handle.Descriptor = revived;
                handle.Failure = Verify(handle);
                handle.Diagnosis = null;
            }
        }

        if (handle.Failure is null)
        {
            _log.Made(handle);
        }
        else
        {
            _log.Failed(handle);
        }

        return handle.Failure is null;
    }

    /// <summary>Closes the daemon's descriptor. With <paramref name="removePath"/> the socket file goes too, if it is still the one that bind() made.</summary>
    public void Close(ListenerHandle handle, bool removePath)
    {
        if (handle.Descriptor is null)
        {
            return;
        }

        if (removePath)
        {
            RemovePath(handle);
        }

        handle.History.Add(HandlePhase.Close, "close", actor: _self, note: "the daemon's descriptor; workers keep theirs");
        handle.Dispose();
        handle.Descriptor = null;
    }

    /// <summary>Closes the socket of an attempt that failed.</summary>
    private void Abandon(ListenerHandle handle)
    {
        if (handle.Descriptor is not null)
        {
            handle.History.Add(HandlePhase.Close, "close", actor: _self, note: "this attempt ends here");
        }

        handle.Reset();
    }

    /// <summary>
    /// Removes the socket file that bind() made, if it still is that one. The descriptor must be open yet: it keeps the
    /// file's inode number from being given to another file (net/unix/af_unix.c holds the path until the last close).
    /// </summary>
    private void RemovePath(ListenerHandle handle)
    {
        if (handle.PathIdentity is { } identity && handle.Spec.Address.Path is { } path
            && Files.GetStatus(path, out var status) is null && (status.Device, status.Inode) == identity)
        {
            var error = Files.Unlink(path);
            handle.History.Add(HandlePhase.Close, "unlink", errno: error?.Name, verdict: error is null ? Verdict.Exact : Verdict.Refused, actor: _self, note: path);
        }

        handle.PathIdentity = null;
    }

    private SystemCallFailure? Attempt(ListenerHandle handle, ListenerPlan plan)
    {
        handle.Domain = plan.Domain;
        if (plan.Spec.Shards > 1)
        {
            return MakeShards(handle, plan, 0, plan.Spec.Shards);
        }

        foreach (var step in plan.Steps)
        {
            if (Perform(handle, plan, step) is { } failure)
            {
                return failure;
            }
        }

        return Verify(handle);
    }

    /// <summary>
    /// Makes shards: all are bound before the first one listens, since from then on it has its share of the connections;
    /// where the kernel chooses the port, it does so for the first one, and the others are bound to the same.
    /// </summary>
    private SystemCallFailure? MakeShards(ListenerHandle handle, ListenerPlan plan, int from, int to, string? occasion = null)
    {
        try
        {
            if (from == 0)
            {
                handle.Group = new ReusePortGroup();
            }

            for (var shard = from; shard < to; shard++)
            {
                handle.WorkAt(shard, isOneOfSeveral: true);
                var one = shard == 0 ? plan : ListenerPlan.For(plan.Spec with { Address = handle.Effective! }, plan.Domain);
                foreach (var step in one.Steps.Where(step => step is not ListenStep))
                {
                    if ((step is CreateStep create ? Create(handle, create, occasion) : Perform(handle, one, step)) is { } failure)
                    {
                        return failure;
                    }
                }

                if (Verify(handle) is { } unnamed)
                {
                    return unnamed;
                }

                if (!plan.Spec.Address.Kind.Listens())
                {
                    handle.Group?.Join(handle.Sockets[shard].Inode);
                }
            }

            for (var shard = from; shard < to && plan.Spec.Address.Kind.Listens(); shard++)
            {
                handle.WorkAt(shard, isOneOfSeveral: true);
                if (Listen(handle, plan.Spec.Listen.Backlog) is { } failure)
                {
                    return failure;
                }

                handle.Group?.Join(handle.Sockets[shard].Inode);
            }

            return null;
        }
        finally
        {
            handle.WorkAt(0, isOneOfSeveral: false);
        }
    }

    /// <summary>
    /// Makes one shard anew, which was shut down; the old one is closed when the new one stands, or kept where it cannot be
    /// made. True where it was.
    /// </summary>
    public bool RemakeShard(ListenerHandle handle, int shard)
    {
        var old = handle.Sockets[shard];
        var spec = handle.Spec with { Address = handle.Effective!, Shards = handle.Sockets.Count };

        // It left the kernel's group when it was shut down.
        handle.Group?.Leave(old.Inode);
        if (MakeShards(handle, ListenerPlan.For(spec, handle.Domain), shard, shard + 1) is not null)
        {
            if (handle.Sockets[shard] != old)
            {
                handle.Sockets[shard].Descriptor.Dispose();
                handle.Put(old);
            }

            return false;
        }

        old.Descriptor.Dispose();
        handle.Sockets[shard].IsChosen = old.IsChosen;
        if (!spec.Address.Kind.Listens())
        {
            // It stays in the group for as long as a worker has it.
            handle.Group = null;
        }

        if (handle.IsSteered)
        {
            Choose(handle, WhyNotSteered(handle));
        }

        return true;
    }

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

    /// <summary>socket(2) of a step; the caller owns the descriptor.</summary>
    internal static DescriptorHandle? CreateSocket(CreateStep create, out SystemCallFailure? failure)
    {
        var protocol = create.Kind == ListenerKind.Mptcp ? Sockets.IpprotoMptcp : 0;
        var socket = Sockets.Create(Domain(create.Domain), Type(create.Kind), protocol, create.NonBlocking, out var error);
        failure = socket is null ? error.With(Describe(create)) : null;
        return socket;
    }

    private SystemCallFailure? Create(ListenerHandle handle, CreateStep create, string? occasion = null)
    {
        if (CreateSocket(create, out var failure) is { } socket)
        {
            handle.Put(socket);
        }

        if (_created?.Step != create)
        {
            _created = (create, $"{Describe(create)}; close-on-exec{(create.NonBlocking ? ", O_NONBLOCK" : "")}");
        }

        handle.History.Add(
            HandlePhase.Create, "socket", errno: failure?.Name, verdict: failure is null ? Verdict.Exact : Verdict.Refused,
            actor: _self, note: On(occasion ?? handle.Occasion, _created.Value.Note));
        if (handle is { IsDeaf: true, Descriptor: not null })
        {
            Deafen(handle);
        }

        return failure;
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

        if (step.Option.DecidesOwner)
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
                return new SystemCallError("if_nametoindex", NoDevice).With(scope);
            }

            scopeId = index;
        }

        if (SocketAddress.Encode(address, scopeId) is not { } raw)
        {
            const int nameTooLong = 36;
            return Refuse(handle, new SystemCallError("bind", nameTooLong), address, $"the path has {address.PathBytes} bytes, a UNIX socket's may have {ListenAddress.MaxUnixPathBytes}");
        }

        var error = Sockets.Bind(handle.Subject, raw);
        if (error?.Errno == AddressInUse && address.Kind.IsUnix() && !address.IsAbstract && plan.Spec.Unix.RemoveStale)
        {
            Refuse(handle, error.Value, address, "remove_stale: looking whether anybody listens there");
            if (!StaleSocket.Remove(address.Path!, address.Kind, out var why))
            {
                return error.Value.With($"{address}: {why}");
            }

            handle.History.Add(HandlePhase.Bind, "unlink", actor: _self, note: $"{address.Path}: {why}");
            error = Sockets.Bind(handle.Subject, raw);
        }

        if (error is not null)
        {
            return Refuse(handle, error.Value, address, null);
        }

        handle.History.Add(HandlePhase.Bind, "bind", requested: OptionValue.Of(handle.Requested), effective: OptionValue.Of(address == handle.Spec.Address ? handle.Requested : address.ToString()), actor: _self);
        if (address.Kind.IsUnix() && !address.IsAbstract && Files.GetStatus(address.Path!, out var status) is null && status.IsSocket)
        {
            handle.PathIdentity = (status.Device, status.Inode);
        }

        return null;
    }

    private SystemCallFailure Refuse(ListenerHandle handle, SystemCallError error, ListenAddress address, string? note)
    {
        handle.History.Add(HandlePhase.Bind, "bind", requested: OptionValue.Of(address.ToString()), errno: error.Name, verdict: Verdict.Refused, actor: _self, note: note);
        return error.With(note is null ? address.ToString() : $"{address}: {note}");
    }

    private SystemCallFailure? SetOwner(ListenerHandle handle, PathOwnerStep step)
    {
        var user = step.User is null ? null : Processes.FindUser(step.User);
        var group = step.Group is null ? null : Processes.FindGroup(step.Group);
        var value = OptionValue.Of($"{step.User}:{step.Group}");
        if ((step.User is not null && user is null) || (step.Group is not null && group is null))
        {
            // Whom the socket file belongs to decides who may connect: without the owner asked for it must not go on.
            var missing = user is null && step.User is not null ? $"there is no user \"{step.User}\"" : $"there is no group \"{step.Group}\"";
            handle.History.Add(step.Phase, "fchownat", "owner", value, verdict: Verdict.Refused, errno: "EINVAL", actor: _self, note: missing);
            return new SystemCallError("fchownat", 22).With($"{step.Path}, {value}: {missing}");
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
        const int stale = 116;
        var file = Files.Pin(path, out error);
        if (file is not null && (Files.GetStatus(file, out var status) is not null || (status.Device, status.Inode) != handle.PathIdentity))
        {
            file.Dispose();
            error = new SystemCallError("open", stale);
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
                    handle, HandlePhase.PreListen, "if_nametoindex", name, value, new SystemCallError("if_nametoindex", NoDevice),
                    $"there is no interface \"{@interface}\" in this network namespace, so the group cannot be joined");
            }

            index = known;
        }

        // struct group_req and group_source_req, linux/in.h: the interface's number, padding, then sockaddr_storage each.
        Span<byte> request = stackalloc byte[8 + (SocketAddress.MaxLength * 2)];
        request.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(request, index);
        SocketAddress.Encode(membership.Group, 0).CopyTo(request[8..]);
        if (membership.Source is not null)
        {
            SocketAddress.Encode(membership.Source, 0).CopyTo(request[(8 + SocketAddress.MaxLength)..]);
        }
        else
        {
            request = request[..(8 + SocketAddress.MaxLength)];
        }

        var level = membership.Group.AddressFamily == AddressFamily.InterNetworkV6 ? IpprotoIpv6 : IpprotoIp;
        var error = Sockets.SetBytes(handle.Subject, level, membership.Source is null ? (leave ? McastLeaveGroup : McastJoinGroup) : leave ? McastLeaveSourceGroup : McastJoinSourceGroup, request);
        return Note(handle, HandlePhase.PreListen, "setsockopt", name, value, error, On(occasion, error?.Errno == NoDevice ? "no interface is named, and no route leads to the group: set interface" : null));
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
        Span<byte> raw = stackalloc byte[SocketAddress.MaxLength];
        var error = Sockets.GetSocketName(handle.Subject, raw, out var length);
        handle.Effective = error is null ? SocketAddress.Decode(handle.Spec.Address.Kind, raw[..length], handle.Spec.Address) : null;
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

    private static int Domain(SocketDomain domain) => domain switch
    {
        SocketDomain.Unix => 1,
        SocketDomain.IPv4 => 2,
        SocketDomain.IPv6 => 10,
        SocketDomain.Vsock => Sockets.AfVsock,
        _ => throw new ArgumentOutOfRangeException(nameof(domain)),
    };

    private static string DomainName(SocketDomain domain) => domain switch
    {
        SocketDomain.Unix => "AF_UNIX",
        SocketDomain.IPv4 => "AF_INET",
        SocketDomain.IPv6 => "AF_INET6",
        SocketDomain.Vsock => "AF_VSOCK",
        _ => throw new ArgumentOutOfRangeException(nameof(domain)),
    };

    private static int Type(ListenerKind kind) => kind switch
    {
        ListenerKind.Udp or ListenerKind.UnixDatagram => SockDgram,
        ListenerKind.UnixSeqpacket => SockSeqpacket,
        ListenerKind.Tcp or ListenerKind.Mptcp or ListenerKind.UnixStream or ListenerKind.Vsock => SockStream,
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    private static string Describe(CreateStep create) =>
        $"{DomainName(create.Domain)}, {TypeName(Type(create.Kind))}{(create.Kind == ListenerKind.Mptcp ? ", IPPROTO_MPTCP" : "")}";

    private static string TypeName(int type) => type switch
    {
        SockDgram => "SOCK_DGRAM",
        SockSeqpacket => "SOCK_SEQPACKET",
        _ => "SOCK_STREAM",
    };
}
