using Supervisor.Core.Listeners;
using Supervisor.Core.Services;
using Supervisor.Linux.Listeners;

namespace Supervisor.Linux.Workers;

/// <summary>
/// The sockets of a service's workers on steered listeners: each worker gets one of its own, the kernel selects those of the workers
/// that serve, and one that no worker needs is closed. Lives on the loop.
/// </summary>
public sealed class SteeredSockets
{
    private readonly ServiceContext _service;

    internal SteeredSockets(ServiceContext service) => _service = service;

    /// <summary>Makes the sockets, and tells the kernel; null if no listener can be steered.</summary>
    public ListenerSteerer? Steerer { get; set; }

    /// <summary>
    /// What a new worker gets of a listener: its own socket; null if the listener is not steered. If the kernel allows no further
    /// socket, it shares those that get new connections.
    /// </summary>
    internal IReadOnlyList<ListenerSocket>? Share(ListenerHandle handle, WorkerState worker)
    {
        if (handle.Steering is not { } steering || Steerer is null)
        {
            return null;
        }

        var own = steering.IsEnding
            ? Steerer.Shared(handle, IsFree)
            : Steerer.SocketFor(handle, worker.Slot, worker.Generation, IsFree);
        return own is not null
            ? [own]
            : [.. handle.Sockets.Where(socket => steering.Targets.Any(target => target.Slot == socket.Shard)).Take(1)];
    }

    /// <summary>The cookie for the connection ids of a worker that gets this socket; null if it needs none.</summary>
    internal string? NewCookie(ListenerHandle handle, ListenerSocket socket) => Steerer?.NewCookie(handle, socket);

    /// <summary>
    /// Whether workers have to be replaced: one has no socket of the listener, or its own one although steering was turned off.
    /// </summary>
    internal bool NeedsNewWorkers(ListenerHandle handle, Func<WorkerState, bool> isMeant) =>
        _service.State.Workers.Any(worker => worker.IsLive && isMeant(worker)
            && _service.Processes.GetValueOrDefault(worker.Id)?.Sockets is { } sockets
            && !sockets.Any(socket => handle.Sockets.Contains(socket)
                && (!handle.Steering!.IsEnding || socket.Steered is null or { WorkerSlot: -1 })));

    /// <summary>Whether a worker that serves has the socket.</summary>
    public bool IsServed(ListenerSocket socket) =>
        _service.State.Workers.Any(worker => worker.IsLive && Has(worker, socket));

    /// <summary>The sockets of a worker on steered listeners.</summary>
    public IEnumerable<(ListenerHandle Handle, ListenerSocket Socket)> Of(WorkerState worker) =>
        from handle in _service.Generations.Next.Listeners
        where handle.Steering is not null
        from owner in handle.Steering!.Handles
        from socket in owner.Sockets
        where Has(worker, socket)
        select (owner, socket);

    /// <summary>Adapts after a reload has turned steering on or off.</summary>
    public void Refresh() => Update(_service.State);

    /// <summary>Adapts to the service's new state, before its effects: a worker that is to drain gets nothing new from then on.</summary>
    internal void Update(ServiceState state)
    {
        foreach (var handle in _service.Generations.Next.Listeners)
        {
            if (handle.Steering is { } steering && Steerer is { } steerer)
            {
                Update(steerer, steering, handle, state);
            }
        }
    }

    private void Update(ListenerSteerer steerer, ListenerSteering steering, ListenerHandle handle, ServiceState state)
    {
        var serving = SteeredWorkers.Of(state);
        foreach (var socket in steering.Sockets.Where(socket => socket.Steered is { WorkerSlot: -1 }))
        {
            // Workers share it that were there before steering was turned on.
            steering.Count(socket, serving.Where(worker => Has(worker, socket)).Max(worker => (int?)worker.Generation));
        }

        SteeringTarget[] targets =
        [
            .. from worker in serving
               orderby worker.Slot, worker.Id
               from socket in steering.Sockets
               where Has(worker, socket)
               select new SteeringTarget(socket.Shard, worker.Generation),
        ];
        if (targets.Length > 0)
        {
            var canary = SteeredWorkers.Canary(state);
            steerer.Turn(handle, targets, canary?.Generation, canary?.Share ?? 0);
            foreach (var owner in steering.Handles.ToArray())
            {
                CloseSuperseded(steerer, owner, socket => IsSuperseded(handle, state, targets, socket));
            }
        }
        else if (steering.Targets.Count == 0
            || steering.Targets.Any(target => !steering.Sockets.Any(socket => socket.Shard == target.Slot)))
        {
            // Connections wait for the next workers, which get these sockets.
            steerer.Turn(
                handle, [.. steering.Sockets.Select(socket => new SteeringTarget(socket.Shard, socket.Steered?.Generation ?? 0))], null, 0);
        }
    }

    /// <summary>A listener that is about to be closed, or has no worker yet, keeps its last socket.</summary>
    private static void CloseSuperseded(ListenerSteerer steerer, ListenerHandle owner, Func<ListenerSocket, bool> isSuperseded)
    {
        foreach (var socket in owner.Sockets.Where(isSuperseded).ToArray())
        {
            if (owner.Sockets.Count > 1)
            {
                steerer.Close(owner, socket);
            }
        }
    }

    /// <summary>Whether no worker has the socket, and none is going to get it.</summary>
    private bool IsSuperseded(ListenerHandle handle, ServiceState state, SteeringTarget[] targets, ListenerSocket socket)
    {
        if (!IsFree(socket) || targets.Any(target => target.Slot == socket.Shard) || socket.Steered is not { } steered)
        {
            return false;
        }

        if (handle.Steering!.IsEnding)
        {
            return steered.WorkerSlot >= 0;
        }

        // A slot that has no worker now gets its own socket again, or one that no worker had yet.
        bool IsServed(int slot, IEnumerable<ListenerSocket> by) => state.Workers.Any(worker =>
            worker.IsLive && worker.Slot == slot && by.Any(other => other != socket && Has(worker, other)));
        return steered.WorkerSlot < 0
            ? Enumerable.Range(0, state.Desired).All(slot => IsServed(slot, handle.Sockets))
            : steered.WorkerSlot >= state.Desired || IsServed(steered.WorkerSlot, handle.Steering.Sockets);
    }

    /// <summary>What remains of a worker whose main process has exited no longer needs its socket.</summary>
    private bool IsFree(ListenerSocket socket) =>
        !_service.Processes.Values.Any(process => !process.IsEnding && process.Sockets?.Contains(socket) == true);

    private bool Has(WorkerState worker, ListenerSocket socket) =>
        _service.Processes.GetValueOrDefault(worker.Id)?.Sockets?.Contains(socket) == true;
}
