using System.Globalization;
using System.Security.Cryptography;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Steering;
using Supervisor.Native;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// Makes the sockets of workers on steered listeners, and tells the kernel which of them get new connections. Each call is in the
/// listener's history, in the phase <c>steer</c>.
/// </summary>
public sealed class ListenerSteerer
{
    private const string Attach = "SO_ATTACH_REUSEPORT_EBPF";
    private const string Detach = "SO_DETACH_REUSEPORT_BPF";
    private const int CookieLength = 8;

    private readonly ListenerContext _context;
    private readonly SteeredSocketFactory _sockets;
    private readonly SocketReplacer _replacer;

    internal ListenerSteerer(ListenerContext context, ListenerBuilder builder, SocketReplacer replacer)
    {
        _context = context;
        _sockets = new SteeredSocketFactory(context, builder);
        _replacer = replacer;
    }

    /// <summary>
    /// A socket for a worker: one that no worker has, or a new one. Null if none can be made; the history has the reason.
    /// </summary>
    /// <param name="handle">A steered listener.</param>
    /// <param name="workerSlot">The worker's slot.</param>
    /// <param name="generation">The worker's generation.</param>
    /// <param name="isFree">Whether no worker has that socket.</param>
    public ListenerSocket? SocketFor(ListenerHandle handle, int workerSlot, int generation, Predicate<ListenerSocket> isFree)
    {
        if (handle.Steering is not { } steering)
        {
            return null;
        }

        var own = handle.Sockets.FirstOrDefault(socket => socket.Steered?.WorkerSlot == workerSlot && isFree(socket))
            ?? handle.Sockets.FirstOrDefault(socket => socket.Steered is null or { WorkerSlot: -1 } && isFree(socket))
            ?? _sockets.Make(handle, dropsIncoming: false);
        if (own is null)
        {
            return null;
        }

        if (own.Steered is not { } steered || steered.Generation != generation || steered.WorkerSlot != workerSlot)
        {
            steering.KeepCounters(own);
            own.Steered = new SteeredSocket
            {
                WorkerSlot = workerSlot,
                Generation = generation,
                SelectedBefore = steering.Engine.Read(own.Shard).Selected,
            };
        }

        return own;
    }

    /// <summary>The cookie of a connection id that leads to this socket, in hexadecimal digits; null without <c>quic-cid</c>.</summary>
    public string? NewCookie(ListenerHandle handle, ListenerSocket socket)
    {
        if (handle.Steering is not { Engine: { Terms.Affinity.By: AffinityKind.QuicConnectionId } engine })
        {
            return null;
        }

        var cookie = RandomNumberGenerator.GetBytes(CookieLength);
        _context.Record(handle).AddCall(
            HandlePhase.Steer, "bpf", engine.AddCookie(cookie, socket.Shard),
            note: $"{SteeredSocketFactory.Name(socket)}: connection ids of a new worker lead to it");
        return Convert.ToHexStringLower(cookie);
    }

    /// <summary>Sends new connections to these sockets, and to no other from this moment on. No effect if nothing changes.</summary>
    public void Turn(ListenerHandle handle, IReadOnlyList<SteeringTarget> targets, int? canary, int canaryShare)
    {
        if (handle.Steering is not { } steering || targets.Count == 0
            || (steering.Targets.SequenceEqual(targets) && steering.Canary == canary && steering.CanaryShare == canaryShare))
        {
            return;
        }

        (steering.Targets, steering.Canary, steering.CanaryShare) = (targets, canary, canaryShare);
        var error = steering.Engine.Turn(SteeringTable.Build(targets, canary, canaryShare));
        _context.Record(handle).AddCall(
            HandlePhase.Steer, "bpf", error, note: $"new {Things(handle)} go to {string.Join(", ", steering.Shares.Select(Share))}");

        // A worker that holds a socket of the group can detach the program.
        if (steering.Engine.Attach(handle.Descriptor!) is { } refused)
        {
            _context.Record(handle).AddCall(HandlePhase.Steer, "setsockopt", refused, Attach);
        }

        string Share((int Generation, int Entries) share) => string.Create(
            CultureInfo.InvariantCulture, $"generation {share.Generation} ({share.Entries / 10.0:0.#} %)");
    }

    /// <summary>
    /// Sends the flows of a socket, which the worker has not ended in time, to the others. The worker can still read what waits there.
    /// </summary>
    public void MoveFlows(ListenerHandle handle, ListenerSocket socket)
    {
        if (handle.Steering is { } steering)
        {
            _context.Record(handle).AddCall(
                HandlePhase.Steer, "bpf", steering.Engine.Remove(socket.Shard),
                note: $"{SteeredSocketFactory.Name(socket)}: its flows move to the others");
        }
    }

    /// <summary>Closes a socket that no worker has. Connections that wait there move to the sockets that get new ones.</summary>
    public void Close(ListenerHandle handle, ListenerSocket socket)
    {
        var history = _context.Record(handle);
        if (handle.Steering is { } steering)
        {
            steering.KeepCounters(socket);
            steering.RecordedBefore += steering.Engine.Read(socket.Shard).Recorded;
        }

        if (handle.Listens)
        {
            // Moves the connections even if another process still holds the socket, such as the keeper.
            var waiting = AcceptQueue.Read(socket.Descriptor, handle.Spec.Address.Kind, socket.Inode)?.Length ?? 0;
            history.AddCall(
                HandlePhase.Steer, "shutdown", Sockets.Shutdown(socket.Descriptor),
                note: string.Create(
                    CultureInfo.InvariantCulture,
                    $"{SteeredSocketFactory.Name(socket)}: {waiting} waiting connections move to the others"));
        }
        else
        {
            history.AddCall(
                HandlePhase.Steer, "connect", SteeredSocketFactory.LeaveGroup(handle, socket),
                note: $"{SteeredSocketFactory.Name(socket)}: the kernel no longer gives datagrams to it");
        }

        handle.Steering?.Engine.Remove(socket.Shard);
        history.Add(HandlePhase.Close, "close", note: $"{SteeredSocketFactory.Name(socket)}: no worker has it");
        handle.Remove(socket);
        SocketCloser.Close(socket.Descriptor);
        EndIfAlone(handle);
    }

    /// <summary>
    /// Closes all sockets of a handle of which another one continues the steering: what waits there moves to the sockets that get new
    /// connections. No effect on another handle.
    /// </summary>
    public void Retire(ListenerHandle handle)
    {
        if (handle.Steering is not { Handles.Count: > 1 } steering)
        {
            return;
        }

        foreach (var socket in handle.Sockets.ToArray())
        {
            Close(handle, socket);
        }

        steering.Leave(handle);
        var rest = steering.Handles[^1];
        steering.IsEnding = !rest.Spec.IsSteered;
        EndIfAlone(rest);
    }

    /// <summary>Changes what a reload can change of a living listener. The history has what the kernel refuses.</summary>
    public void Change(ListenerHandle handle, ListenerSpec spec)
    {
        if (handle.Descriptor is null)
        {
            return;
        }

        if (handle.Steering is not { } steering)
        {
            if (spec.IsSteered)
            {
                Begin(handle, spec);
            }

            return;
        }

        steering.IsEnding = !spec.IsSteered;
        if (spec.IsSteered && steering.Engine.Terms.Affinity != spec.Affinity)
        {
            ChangeTerms(handle, steering, new SteeringTerms(spec.Address.Kind, spec.Affinity));
        }

        EndIfAlone(handle);
    }

    /// <summary>The socket that new workers share after steering was turned off.</summary>
    public ListenerSocket? Shared(ListenerHandle handle, Predicate<ListenerSocket> isFree)
    {
        var shared = handle.Sockets.FirstOrDefault(socket => socket.Steered is { WorkerSlot: -1 });
        if (shared is null && handle.Steering is not null)
        {
            shared = handle.Sockets.FirstOrDefault(isFree.Invoke) ?? _sockets.Make(handle, dropsIncoming: false);
            shared?.Steered = new SteeredSocket();
        }

        return shared;
    }

    /// <summary>Begins to steer a listener whose socket has just been made or adopted.</summary>
    internal static void BeginIfConfigured(ListenerContext context, ListenerBuilder builder, ListenerHandle handle)
    {
        if (handle.Descriptor is null)
        {
            return;
        }

        var steerer = new ListenerSteerer(context, builder, new SocketReplacer(context, builder));
        if (handle.Beside is { Steering: { } steering } && steerer.TryJoin(handle, steering))
        {
            return;
        }

        if (handle.Spec.IsSteered)
        {
            steerer.Begin(handle, handle.Spec, handle.Beside is { Steering: null } former ? former : null);
        }
    }

    /// <summary>
    /// Adds a socket that was made next to a steered one. It gets nothing before a worker serves it. If the configuration has turned
    /// steering off, the steering ends with the former socket.
    /// </summary>
    private bool TryJoin(ListenerHandle handle, ListenerSteering steering)
    {
        steering.Join(handle);
        if (_sockets.Put(handle, handle.Sockets[0], SteeredSocketFactory.FreeSlot(handle)) is not null)
        {
            steering.Leave(handle);
            return false;
        }

        steering.IsEnding = !handle.Spec.IsSteered;
        if (handle.Spec.IsSteered && steering.Engine.Terms.Affinity != handle.Spec.Affinity)
        {
            ChangeTerms(handle, steering, new SteeringTerms(handle.Spec.Address.Kind, handle.Spec.Affinity));
        }

        return true;
    }

    /// <summary>Begins to steer. Without the kernel's help the listener serves as without steering.</summary>
    /// <param name="handle">The listener.</param>
    /// <param name="spec">What is asked for.</param>
    /// <param name="former">The handle of the socket that serves until a worker serves the new one; null if the handle's own do.</param>
    private void Begin(ListenerHandle handle, ListenerSpec spec, ListenerHandle? former = null)
    {
        var engine = SteeringEngine.Create(new SteeringTerms(spec.Address.Kind, spec.Affinity), out var whyNot);
        var history = _context.Record(handle);
        history.Add(
            HandlePhase.Steer, "bpf", verdict: engine is null ? Verdict.Refused : Verdict.Exact,
            errno: engine is null ? ErrnoIn(whyNot!) : null,
            note: engine is null ? $"{whyNot}: all workers share the socket" : "the maps and the program of the listener");
        handle.SteeringRefusal = whyNot;
        if (engine is null)
        {
            return;
        }

        var second = former is null ? FormGroup(handle, engine) : null;
        var attached = engine.Attach(handle.Descriptor!);
        history.AddCall(HandlePhase.Steer, "setsockopt", attached, Attach);
        ListenerHandle[] all = former is null ? [handle] : [former, handle];
        var steering = new ListenerSteering(engine);
        foreach (var one in all)
        {
            steering.Join(one);
        }

        var slot = 0;
        foreach (var (one, socket) in all.SelectMany(one => one.Sockets.Select(socket => (one, socket))))
        {
            attached ??= _sockets.Put(one, socket, slot++);
        }

        if (attached is { } refused)
        {
            handle.SteeringRefusal = refused.ToString();
            foreach (var one in all)
            {
                steering.Leave(one);
            }
        }
        else
        {
            // The workers of a listener that serves have the other sockets.
            var serving = all[0].Sockets.Where(socket => socket != second);
            Turn(handle, [.. serving.Select(socket => new SteeringTarget(socket.Shard, 0))], null, 0);
            if (former is not null)
            {
                SocketBridge.TakeIncoming(handle);
            }
        }

        if (second is not null)
        {
            OpenOrClose(handle, second);
        }
    }

    /// <summary>
    /// Makes a group of a socket that was bound without SO_REUSEPORT: it gets the option, and a second socket, which drops what arrives
    /// until the program selects, joins it. Returns that one; null if there is a group already, or no second socket can be bound.
    /// </summary>
    private ListenerSocket? FormGroup(ListenerHandle handle, SteeringEngine engine)
    {
        if (engine.Attach(handle.Descriptor!) is not { Name: "EINVAL" } || handle.Sockets.Count > 1)
        {
            return null;
        }

        _replacer.Share(handle, share: true, "each worker is to have a socket of its own");
        return _sockets.Make(handle, dropsIncoming: true);
    }

    /// <summary>The second socket of a new group receives from now on, or is closed if there is no program.</summary>
    private void OpenOrClose(ListenerHandle handle, ListenerSocket second)
    {
        handle.DropsIncoming = false;
        if (handle.Steering is not null)
        {
            _context.Record(handle).AddCall(HandlePhase.Steer, "setsockopt", Sockets.TakeIncoming(second.Descriptor), "SO_DETACH_FILTER");
        }
        else
        {
            handle.Remove(second);
            SocketCloser.Close(second.Descriptor);
        }
    }

    private void EndIfAlone(ListenerHandle handle)
    {
        if (handle is { Steering: { IsEnding: true, Handles.Count: 1 }, Sockets.Count: 1 })
        {
            End(handle);
        }
    }

    /// <summary>Takes the program away: one socket is left, which all workers share.</summary>
    private void End(ListenerHandle handle)
    {
        _context.Record(handle).AddCall(
            HandlePhase.Steer, "setsockopt", Sockets.ReleaseReusePort(handle.Descriptor!), Detach, "steering was turned off");

        // A socket can be in one map only, and other holders keep this map for a moment: steering may be turned on again.
        handle.Steering!.Engine.Remove(handle.Sockets[0].Shard);
        handle.Steering.Leave(handle);
        handle.Sockets[0].Steered = null;
        handle.Sockets[0].Shard = 0;
        _replacer.EndBridge(handle);
    }

    private void ChangeTerms(ListenerHandle handle, ListenerSteering steering, SteeringTerms terms)
    {
        var changed = steering.Engine.With(terms, out var whyNot);
        if (changed is not null && changed.Attach(handle.Descriptor!) is { } refused)
        {
            whyNot = refused.ToString();
            changed.DisposeOwn(steering.Engine);
            changed = null;
        }

        _context.Record(handle, HistoryRecorder.Reload).Add(
            HandlePhase.Steer, "bpf", errno: changed is null ? ErrnoIn(whyNot!) : null,
            verdict: changed is null ? Verdict.Refused : Verdict.Exact,
            note: changed is null ? $"affinity: {whyNot}" : "affinity has changed: the flows go with it");
        if (changed is not null)
        {
            steering.Engine.DisposeOwn(changed);
            steering.Engine = changed;
            changed.Turn(SteeringTable.Build(steering.Targets, steering.Canary, steering.CanaryShare));
        }
    }

    private static string? ErrnoIn(string whyNot) => whyNot.Split(": ") is [_, var name, ..] && name.StartsWith('E') ? name : null;

    private static string Things(ListenerHandle handle) =>
        handle.Listens ? "connections" : handle.Spec.Affinity is null ? "datagrams" : "flows";
}
