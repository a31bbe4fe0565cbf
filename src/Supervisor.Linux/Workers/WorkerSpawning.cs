using Supervisor.Core;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Protocols;
using Supervisor.Core.Services;
using Supervisor.Core.Workers;
using Supervisor.Linux.Output;
using Supervisor.Linux.Performance;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>Starts a worker: from the machine's decision until its program runs.</summary>
internal sealed class WorkerSpawning(ServiceContext service)
{
    /// <summary>Workers without a process: their environment is being read, or their user looked up.</summary>
    private readonly HashSet<int> _preparing = [];
    private readonly List<WorkerSpawned> _spawned = [];
    private readonly List<(int WorkerId, WorkerProcess Process)> _unwatched = [];
    private readonly ReplacementHeadStart _headStart = new(service.Loop);

    /// <summary>Whether a worker has no process yet.</summary>
    public bool IsPreparing(int workerId) => _preparing.Contains(workerId);

    /// <summary>Spawns a worker once its user is known and its environment files have been read.</summary>
    public void Spawn(WorkerState worker, bool isOneOfMany)
    {
        var spec = service.State.SpecOf(worker.Generation);
        if (spec.EnvironmentFiles.IsEmpty && service.Generations.Of(worker.Generation).Identity is { } known)
        {
            Spawn(worker, spec, known, FileVariables.None, isOneOfMany);
            return;
        }

        _preparing.Add(worker.Id);
        service.Generations.ResolveOf(worker.Generation, spec, (identity, error) =>
        {
            if (identity is null)
            {
                Prepared(null, new FileVariables([], error));
            }
            else if (spec.EnvironmentFiles.IsEmpty)
            {
                Prepared(identity, FileVariables.None);
            }
            else
            {
                service.EnvironmentFiles.Read(spec, identity, read => Prepared(identity, read));
            }
        });

        void Prepared(WorkerIdentity? identity, FileVariables variables)
        {
            if (!_preparing.Remove(worker.Id))
            {
                return;
            }

            if (variables.Error is { } error)
            {
                service.Connections.Drop(worker);
                service.Post(new WorkerEnded(worker.Id, ExitReason.NotStarted(error)));
            }
            else
            {
                Spawn(worker, spec, identity!, variables, isOneOfMany: false);
            }
        }
    }

    private void Spawn(WorkerState worker, ServiceSpec spec, WorkerIdentity identity, FileVariables fromFiles, bool isOneOfMany)
    {
        if (!service.Limits.IsPrepared(spec.Cgroup))
        {
            _preparing.Add(worker.Id);
            service.Limits.Prepare(spec.Cgroup, () =>
            {
                if (_preparing.Remove(worker.Id))
                {
                    Spawn(worker, spec, identity, fromFiles, isOneOfMany: false);
                }
            });
            return;
        }

        var pins = service.Generations.PinsOf(worker.Generation);
        if (pins.IsPinning)
        {
            // A path may move between two spawns, and all workers of a generation run the same files.
            _preparing.Add(worker.Id);
            pins.Wait(() =>
            {
                if (_preparing.Remove(worker.Id))
                {
                    Spawn(worker, spec, identity, fromFiles, isOneOfMany: true);
                }
            });
            return;
        }

        var connection = worker.Connection is { } peer ? service.Connections.Take(peer) : null;
        if (worker.Connection is not null && connection is null)
        {
            service.Post(new WorkerEnded(worker.Id, ExitReason.NotStarted("its connection was lost with an earlier daemon")));
            return;
        }

        var listeners = connection is null ? service.Generations.Of(worker.Generation).Listeners : [];
        var shares = listeners.ToDictionary(
            handle => handle, handle => service.Steering.Share(handle, worker) ?? service.Shards.Share(handle, worker.Slot));
        service.ReportSpawning(listeners);
        foreach (var handle in listeners)
        {
            handle.RecordBaseline();
        }

        // The pid of the log lines is known once the process exists; it writes nothing before.
        var pid = 0;
        void TakeOutput(OutputPiece piece) => service.Watching.TakeOutput(worker, pid, piece, isError: false);
        void TakeError(OutputPiece piece) => service.Watching.TakeOutput(worker, pid, piece, isError: true);
        string? failure;
        var spawned = connection is not null && fromFiles == FileVariables.None && pins.IsPinned
            ? service.Spawner.Start(spec, identity, worker, connection, TakeOutput, TakeError, pins, isOneOfMany, out failure)
            : service.Spawner.Start(
                spec,
                identity,
                worker,
                listeners,
                TakeOutput,
                TakeError,
                fromFiles,
                pins,
                isOneOfMany,
                out failure,
                service.Stored.Of(worker.Slot),
                handle => shares[handle],
                service.Steering.NewCookie,
                connection);
        if (spawned is not { } process)
        {
            service.Post(new WorkerEnded(worker.Id, ExitReason.NotStarted(failure!)));
            return;
        }

        pid = process.Pid;
        pins.Begin(worker.Id);
        if (service.Ending.IsReplacing && process.Notify is { } notify)
        {
            _headStart.Give(notify.Descriptor);
        }

        process.Never = [.. listeners.SelectMany(handle => handle.Leaving)];
        if (spec.Handoff is not (HandoffKind.None or HandoffKind.ScmRights))
        {
            process.Sockets = [.. listeners.SelectMany(handle => shares[handle])];
        }

        service.Processes.Add(worker.Id, process);
        service.Watching.Attach(worker.Id, process);
        service.Limits.Spawned(worker.Id, process, spec.Cgroup);
        if (process.Launch!.Status is { } status)
        {
            service.Loop.Watch(status, () => SettleSoon(worker.Id, process));
        }
        else
        {
            SettleInNextTurn(worker.Id, process);
        }

        // Before its program runs: the state is written once all workers of this turn are spawned. The process of a connection is saved
        // later, if it lives.
        if (connection is null)
        {
            _ = process.Main.StartTime;
        }
    }

    /// <summary>Cancels a worker that has no process yet; false if it has one.</summary>
    public bool Cancel(int workerId)
    {
        if (!_preparing.Remove(workerId))
        {
            return false;
        }

        if (service.Worker(workerId) is { } worker)
        {
            service.Connections.Drop(worker);
        }

        service.Post(new WorkerEnded(workerId,
            ExitReason.NotStarted("stopped before it was spawned")));
        return true;
    }

    /// <summary>
    /// Reads the outcome of a launch, if there is one, and passes it to the machine now, before other events of the worker; or, if
    /// these come <paramref name="isSoon"/> too, at the end of the turn.
    /// </summary>
    public void Settle(int workerId, WorkerProcess process, bool isSoon = false)
    {
        SettleSoon(workerId, process);
        if (!isSoon && _spawned.Exists(spawned => spawned.WorkerId == workerId))
        {
            PostSpawned();
        }
    }

    /// <summary>The same, but the machine gets all workers that were spawned in this turn together, at its end.</summary>
    private void SettleSoon(int workerId, WorkerProcess process)
    {
        if (process.Launch is not { } launch || !launch.TryGetOutcome(out var failure))
        {
            return;
        }

        EndLaunch(workerId, process, launch, failure is null);
        if (failure is not null)
        {
            // The launcher exits without a signal, unless the worker's user has stopped it.
            process.LaunchFailure = failure;
            SignalDelivery.Send(process.Main.Pidfd, process.Pid, Signals.Kill);
            return;
        }

        if (_spawned.Count == 0)
        {
            service.Loop.AtTurnEnd(PostSpawned);
        }

        _spawned.Add(new WorkerSpawned(workerId, process.Session));
        RecordHandoffs(workerId, process);
        service.Watching.WatchReadiness(workerId, process);
    }

    /// <summary>
    /// Reads the outcome of a launch that no descriptor shows when the next turn begins, and then in each turn until there is one. Nothing
    /// depends on it in between: the machine is asked only in a turn, and the exit and the deadline of the process cause one.
    /// </summary>
    private void SettleInNextTurn(int workerId, WorkerProcess process)
    {
        if (_unwatched.Count == 0)
        {
            service.Loop.AtNextTurn(SettleUnwatched);
        }

        _unwatched.Add((workerId, process));
    }

    private void SettleUnwatched()
    {
        for (var i = 0; i < _unwatched.Count; i++)
        {
            var (workerId, process) = _unwatched[i];
            SettleSoon(workerId, process);
        }

        _unwatched.RemoveAll(one => one.Process.Launch is null || service.Processes.GetValueOrDefault(one.WorkerId) != one.Process);
        if (_unwatched.Count > 0)
        {
            service.Loop.AtNextTurn(SettleUnwatched);
        }

        // Before the deadlines of the turn.
        PostSpawned();
    }

    /// <summary>
    /// Gives up a launch without an outcome: the launcher does not exit after SIGKILL. The workers that wait for it are spawned.
    /// </summary>
    public void Abandon(int workerId, WorkerProcess process)
    {
        if (process.Launch is { } launch)
        {
            EndLaunch(workerId, process, launch, succeeded: false);
        }
    }

    private void EndLaunch(int workerId, WorkerProcess process, PendingLaunch launch, bool succeeded)
    {
        if (launch.Status is { } status)
        {
            service.Loop.Unwatch(status);
        }

        process.Launch = null;
        SettlePins(workerId, process, launch.TakePins(), succeeded);
        launch.Dispose();
    }

    /// <summary>
    /// Pins the worker's generation to what its program was executed from, and spawns the workers that have waited for that.
    /// </summary>
    private void SettlePins(int workerId, WorkerProcess process, IReadOnlyList<PinReport> reports, bool succeeded)
    {
        if (service.Worker(workerId) is not { } worker)
        {
            return;
        }

        var (pins, spec) = (service.Generations.PinsOf(worker.Generation), service.State.SpecOf(worker.Generation));
        foreach (var moved in pins.Settle(workerId, reports, succeeded))
        {
            var report = new ReportEffect(
                moved.Use == PinUse.Resolved ? ServiceReport.WorkerPinned : ServiceReport.WorkerPinLost,
                worker with { Pid = process.Pid }, null, null, PinText.Of(moved, spec));
            service.Log.Report(report, service.State, service.Loop.Now);
            service.Report(report);
        }

        if (reports.Count > 0 || worker.Connection is null)
        {
            service.Note(isUrgent: true);
        }

        var waiting = pins.TakeWaiting();
        if (waiting.Count > 0)
        {
            Spawner.Expect(waiting.Count);
            foreach (var spawn in waiting)
            {
                spawn();
            }

            Spawner.Finish();
        }
    }

    private void RecordHandoffs(int workerId, WorkerProcess process)
    {
        if (process.Sockets is not { } sockets || service.Worker(workerId) is not { } worker)
        {
            return;
        }

        var (spec, listeners) = (service.State.SpecOf(worker.Generation), service.Generations.Of(worker.Generation).Listeners);
        var number = spec.Handoff == HandoffKind.Stdin ? 0 : HandoffEnvironment.ListenFdsStart;
        foreach (var (handle, socket) in listeners
            .SelectMany(handle => handle.Sockets.Concat(handle.Leaving).Where(sockets.Contains).Select(socket => (handle, socket))))
        {
            handle.History.Add(
                HandlePhase.Handoff, "execve", actor: new HistoryActor(process.Session, $"{service.Name}/{worker.Slot}"),
                note: (handle.Sockets.Count > 1 ? $"shard {socket.Shard}: " : "")
                    + $"descriptor {number} of worker {worker.Slot}, generation {worker.Generation}, by {spec.Handoff.ToWireName()}");
            number = Math.Max(number + 1, HandoffEnvironment.ListenFdsStart);
        }
    }

    /// <summary>Passes the workers that have executed their programs to the machine, all at once.</summary>
    private void PostSpawned()
    {
        if (_spawned.Count > 0)
        {
            WorkerSpawned[] spawned = [.. _spawned];
            _spawned.Clear();
            service.Post(spawned is [var one] ? one : new WorkersSpawned([.. spawned]));
        }
    }
}
