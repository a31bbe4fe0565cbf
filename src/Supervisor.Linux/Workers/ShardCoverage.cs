using Supervisor.Core.Listeners;
using Supervisor.Core.Services;
using Supervisor.Linux.Listeners;

namespace Supervisor.Linux.Workers;

/// <summary>Which worker has which shard of a listener.</summary>
public sealed class ShardCoverage
{
    private readonly ServiceContext _service;

    internal ShardCoverage(ServiceContext service) => _service = service;

    /// <summary>Whether a worker has, or may have, that socket of a listener.</summary>
    public bool Holds(int workerId, ListenerSocket socket) =>
        _service.Processes.GetValueOrDefault(workerId) is { } process
            && (process.Sockets?.Contains(socket) ?? !process.Never.Contains(socket));

    /// <summary>
    /// Replaces the workers by the service's strategy if a shard has no slot, a slot has no shard, or a worker has a shard that
    /// is being removed. That can be so after the number of shards or slots has changed. What waits in such a shard waits for
    /// the new worker.
    /// </summary>
    public void Cover()
    {
        if (_service.State.Spec.Handoff != HandoffKind.ScmRights && _service.Generations.Waits is null
            && _service.Generations.Next.Listeners.Any(handle => NeedsOtherShares(handle, handle.Sockets.Count, _service.State.Desired)))
        {
            _service.Requests.Restart(by: "a change of the shards or the number of workers");
        }
    }

    /// <summary>Whether workers have to be replaced if a listener has that many shards and the service that many workers.</summary>
    public bool NeedsOtherShares(ListenerHandle handle, int shards, int workers)
    {
        if (!_service.State.IsStarted || handle.Sockets.Count == 0 || _service.State.Spec.Handoff == HandoffKind.None)
        {
            return false;
        }

        if (_service.State.Spec.Handoff == HandoffKind.ScmRights)
        {
            // Stopped workers get the present shards when they start.
            return shards != handle.Sockets.Count;
        }

        int? target = _service.State.Rollout is { IsActive: true } rollout ? rollout.Phase == RolloutPhase.RollingBack ? rollout.From
            : rollout.To : null;
        if (handle.Steering is not null)
        {
            return _service.Steering.NeedsNewWorkers(handle, worker => target is null || worker.Generation == target);
        }

        // Most listeners: all workers have the only socket.
        return !(shards == 1 && handle is { Sockets: [var only], Leaving.Count: 0 } && AllHold(only, workers, target))
            && HaveOtherShares(handle, shards, workers, target);
    }

    private bool AllHold(ListenerSocket only, int workers, int? target)
    {
        foreach (var worker in _service.State.Workers)
        {
            if (Counts(worker, workers, target) && !Holds(worker.Id, only))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Workers without a process get their share when they start: during a roll-out, and while their environment is read.</summary>
    private bool Counts(WorkerState worker, int workers, int? target) => worker.IsLive && worker.Slot < workers
        && !_service.Spawning.IsPreparing(worker.Id) && (target is null || worker.Generation == target);

    private bool HaveOtherShares(ListenerHandle handle, int shards, int workers, int? target)
    {
        var held = new Dictionary<int, IReadOnlyCollection<int>>();
        foreach (var worker in _service.State.Workers.Where(worker => Counts(worker, workers, target)))
        {
            List<int> own = [.. handle.Sockets.Where(socket => Holds(worker.Id, socket)).Select(socket => socket.Shard)];
            own.AddRange(handle.Leaving.Where(socket => Holds(worker.Id, socket)).Select(_ => int.MaxValue));
            held[worker.Slot] = own;
        }

        return ShardAssignment.IsOutdated(held, workers, shards)
            || handle.Leaving.Any(socket => IsOrphan(socket) && held.ContainsKey(socket.Shard % workers));
    }

    /// <summary>
    /// The sockets of a listener that a slot serves. Includes sockets that are being removed, if connections wait there and the
    /// workers that served them have exited.
    /// </summary>
    internal IReadOnlyList<ListenerSocket> Share(ListenerHandle handle, int slot) => handle.Sockets.Count < 2 && handle.Leaving.Count == 0
        ? handle.Sockets
        : [
            .. ShardAssignment.Of(slot, _service.State.Desired, handle.Sockets.Count).Select(shard => handle.Sockets[shard]),
            .. handle.Leaving.Where(socket => socket.Shard % Math.Max(1, _service.State.Desired) == slot && IsOrphan(socket)),
        ];

    private bool IsOrphan(ListenerSocket socket) => !_service.State.Workers.Any(worker => Holds(worker.Id, socket)) && socket.HasWaiting;
}
