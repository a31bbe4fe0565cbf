using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Protocols;
using Supervisor.Core.Services;
using Supervisor.Core.Workers;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Output;
using Supervisor.Linux.Probes;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>From the decision to have a worker until its words and its end are listened for.</summary>
public sealed partial class ServiceRunner
{
    /// <summary>Spawns a worker, when the files that its environment comes from have been read.</summary>
    private void Spawn(WorkerState worker, bool isOneOfMany)
    {
        var spec = State.SpecOf(worker.Generation);
        if (MeansOf(worker.Generation).Identity is null)
        {
            _preparing.Add(worker.Id);
            ResolveGeneration(worker.Generation, error =>
            {
                if (_preparing.Remove(worker.Id))
                {
                    SpawnOrFail(error);
                }
            });
            return;
        }

        if (spec.EnvironmentFiles.IsEmpty)
        {
            Spawn(worker, spec, FileVariables.None, isOneOfMany);
            return;
        }

        _preparing.Add(worker.Id);
        _environmentFiles.Read(spec, MeansOf(worker.Generation).Identity!, read =>
        {
            if (!_preparing.Remove(worker.Id))
            {
                return;
            }

            if (read.Error is { } error)
            {
                Post(new WorkerEnded(worker.Id, ExitReason.NotStarted(error)));
            }
            else
            {
                Spawn(worker, spec, read, isOneOfMany: false);
            }
        });

        void SpawnOrFail(string? error)
        {
            if (error is not null)
            {
                Post(new WorkerEnded(worker.Id, ExitReason.NotStarted(error)));
            }
            else
            {
                Spawn(worker, isOneOfMany: false);
            }
        }
    }

    private void Spawn(WorkerState worker, ServiceSpec spec, FileVariables fromFiles, bool isOneOfMany)
    {
        var (listeners, identity) = MeansOf(worker.Generation);
        foreach (var handle in listeners)
        {
            handle.KeepBaseline();
        }

        var shares = listeners.ToDictionary(handle => handle, handle => Share(handle, worker.Slot));

        // The lines' pid is known only once the process is there, and it writes none before.
        var pid = 0;
        var spawned = _spawner.Start(
            spec, identity!, worker, listeners,
            line => _log.Output(worker, pid, line, isError: false),
            line => _log.Output(worker, pid, line, isError: true),
            fromFiles,
            isOneOfMany,
            out var failure,
            _stored.Of(worker.Slot),
            handle => shares[handle]);
        if (spawned is not { } process)
        {
            Post(new WorkerEnded(worker.Id, ExitReason.NotStarted(failure!)));
            return;
        }

        pid = process.Pid;
        if (_isReplacing && (_gaveWay is null || _loop.Now - _gaveWay > GivesWayNoSooner))
        {
            // What is left to do here, killing and reaping and saving, would take the processor that it is just starting on, and
            // it is the one for which clients wait: it has it until it has said something.
            Polling.Await(process.Notify.Descriptor, GivesWayFor);
            _gaveWay = _loop.Now;
        }

        process.Never = [.. listeners.SelectMany(handle => handle.Leaving)];
        if (spec.Handoff is not (HandoffKind.None or HandoffKind.ScmRights))
        {
            process.Sockets = [.. listeners.SelectMany(handle => shares[handle])];
        }

        _processes.Add(worker.Id, process);
        Attach(worker.Id, process);
        _loop.Watch(process.Launch!.Status, () => SettleSoon(worker.Id, process));

        // Now, while it is on its way to its program: the state is written when all that are spawned in this turn are there.
        _ = process.StartTime;
    }

    /// <summary>A worker that is not wanted any more before there is a process: false where there is one.</summary>
    private bool CancelSpawn(int workerId)
    {
        if (!_preparing.Remove(workerId))
        {
            return false;
        }

        Post(new WorkerEnded(workerId, ExitReason.NotStarted("it was stopped before its environment_files had been read and its user was known")));
        return true;
    }

    /// <summary>Learns how a launch went, if that is decided, and tells the machine of it now: before anything else that the worker did.</summary>
    private void Settle(int workerId, WorkerProcess process)
    {
        SettleSoon(workerId, process);
        if (_spawned.Exists(spawned => spawned.WorkerId == workerId))
        {
            TellSpawned();
        }
    }

    /// <summary>The same, but the machine is told at the end of the turn, of all that were spawned in it at once.</summary>
    private void SettleSoon(int workerId, WorkerProcess process)
    {
        if (process.Launch is not { } launch || !launch.TryGetOutcome(out var failure))
        {
            return;
        }

        _loop.Unwatch(launch.Status);
        process.Launch = null;
        launch.Dispose();
        if (failure is not null)
        {
            // The launcher exits by itself, unless the worker's user has stopped it.
            process.LaunchFailure = failure;
            Processes.Signal(process.Pidfd, Signals.Kill);
            return;
        }

        if (_spawned.Count == 0)
        {
            _loop.AtTurnEnd(TellSpawned);
        }

        _spawned.Add(new WorkerSpawned(workerId, process.Session));
        RecordHandoffs(workerId, process);
        LookAt(workerId, process);
    }

    private void RecordHandoffs(int workerId, WorkerProcess process)
    {
        if (process.Sockets is not { } sockets || State.Workers.FirstOrDefault(one => one.Id == workerId) is not { } worker)
        {
            return;
        }

        var (spec, listeners) = (State.SpecOf(worker.Generation), MeansOf(worker.Generation).Listeners);
        var number = spec.Handoff == HandoffKind.Stdin ? 0 : HandoffEnvironment.ListenFdsStart;
        foreach (var (handle, socket) in listeners.SelectMany(handle => handle.Sockets.Concat(handle.Leaving).Where(sockets.Contains).Select(socket => (handle, socket))))
        {
            handle.History.Add(
                HandlePhase.Handoff, "execve", actor: new HistoryActor(process.Session, $"{Name}/{worker.Slot}"),
                note: $"{(handle.Sockets.Count > 1 ? $"shard {socket.Shard}: " : "")}descriptor {number} of worker {worker.Slot}, generation {worker.Generation}, by {spec.Handoff.ToWireName()}");
            number = Math.Max(number + 1, HandoffEnvironment.ListenFdsStart);
        }
    }

    /// <summary>Tells the machine of those that have executed their programs, of all of them at once.</summary>
    private void TellSpawned()
    {
        if (_spawned.Count > 0)
        {
            WorkerSpawned[] spawned = [.. _spawned];
            _spawned.Clear();
            Post(spawned is [var one] ? one : new WorkersSpawned([.. spawned]));
        }
    }

    private void Attach(int workerId, WorkerProcess process)
    {
        process.Notify.Watch(
            _loop,
            pid => Knows(process, pid),
            (message, descriptors) =>
            {
                Settle(workerId, process);
                Take(workerId, process, message, descriptors);
            },
            (kind, reason, sender) => _log.MessageRefused(process, sender, kind, reason),
            pid => LookAt(workerId, process, pid, static () => { }),
            process.Known.Clear);
        Watch(process.Output);
        Watch(process.Error);
        _loop.Watch(process.Pidfd, () => Ended(workerId, process));
    }

    private void LookAt(int workerId, WorkerProcess process)
    {
        var generation = State.Workers.FirstOrDefault(worker => worker.Id == workerId)?.Generation ?? State.Generation;
        if (Look(process, State.SpecOf(generation), MeansOf(generation).Listeners) is { } look)
        {
            process.Watch = new ReadinessWatch(_loop, look, () => Post(new WorkerReady(workerId)), seen => Post(new WorkerSeen(workerId, seen)));
        }
    }

    /// <summary>How the worker's readiness is seen from outside; null where it says so itself, or is ready by its exec.</summary>
    private IReadinessProbe? Look(WorkerProcess process, ServiceSpec spec, IReadOnlyList<ListenerHandle> listeners)
    {
        var readiness = spec.Readiness;
        switch (readiness.Kind)
        {
            case ReadinessKind.Accepting:
                return new AcceptProbe(
                    this,
                    () => process.Pid,
                    [.. listeners.Where(handle => handle.Spec.Address.Kind.Listens()).SelectMany(handle => handle.Sockets.Where(socket => process.Sockets?.Contains(socket) != false).Select(socket => (handle.Name, socket.Inode)))]);
            case ReadinessKind.Http:
                var asked = listeners.First(handle => handle.Spec.Address.Kind.TakesHttpProbe());
                return new HttpProbe(this, () => process.Pid, readiness.Path!, asked.Name, asked.Effective!, State.Workers.Length);
            case ReadinessKind.Notify or ReadinessKind.Started:
                return null;
            default:
                throw new ArgumentOutOfRangeException(nameof(process), readiness.Kind, null);
        }
    }

    private void Watch(OutputPipe pipe) => _loop.Watch(pipe.Descriptor, () =>
    {
        if (!pipe.Drain())
        {
            _loop.Unwatch(pipe.Descriptor);
        }
    });
}
