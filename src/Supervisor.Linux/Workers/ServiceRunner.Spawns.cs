using Supervisor.Core.Handoff;
using Supervisor.Core.Listeners;
using Supervisor.Core.Services;
using Supervisor.Core.Workers;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Probes;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>From the decision to have a worker until its words and its end are listened for.</summary>
public sealed partial class ServiceRunner
{
    /// <summary>
    /// Spawns a worker. One of many is prepared while those before it are on their way to their programs, which takes them
    /// longer than all that there is to do here.
    /// </summary>
    private void Spawn(WorkerState worker, bool isOneOfMany)
    {
        FinishSpawns(Spawner.MostAtOnce - 1);
        var spec = State.SpecOf(worker.Generation);
        var (listeners, identity) = MeansOf(worker.Generation);
        foreach (var handle in listeners)
        {
            handle.KeepBaseline();
        }

        var shares = listeners.ToDictionary(handle => handle, handle => Share(handle, worker.Slot));

        // The lines' pid is known only once the process is there, and it writes none before.
        var pid = 0;
        var spawned = _spawner.Begin(
            spec, identity!, worker, listeners,
            line => _log.Output(worker, pid, line, isError: false),
            line => _log.Output(worker, pid, line, isError: true),
            waits: !isOneOfMany,
            out var failure,
            _stored.Of(worker.Slot),
            handle => shares[handle]);
        if (spawned is null)
        {
            Post(new WorkerEnded(worker.Id, ExitReason.NotStarted(failure!)));
            return;
        }

        _spawning.Enqueue(() =>
        {
            if (spawned.Finish(out var why) is { } process)
            {
                pid = process.Pid;
                Spawned(worker, spec, listeners, shares, process);
            }
            else
            {
                Post(new WorkerEnded(worker.Id, ExitReason.NotStarted(why!)));
            }
        });
        if (!isOneOfMany)
        {
            FinishSpawns(0);
        }
    }

    /// <summary>Finishes spawns in their order, until no more than so many are under way.</summary>
    private void FinishSpawns(int left)
    {
        while (_spawning.Count > left)
        {
            _spawning.Dequeue()();
        }
    }

    /// <summary>Tells the machine of those that have been spawned meanwhile, of all of them at once.</summary>
    private void TellSpawned()
    {
        if (_spawned.Count > 0)
        {
            Post(_spawned is [var one] ? one : new WorkersSpawned([.. _spawned]));
            _spawned.Clear();
        }
    }

    private void Spawned(WorkerState worker, ServiceSpec spec, IReadOnlyList<ListenerHandle> listeners, Dictionary<ListenerHandle, IReadOnlyList<ListenerSocket>> shares, WorkerProcess process)
    {
        if (_isReplacing && (_gaveWay is null || _loop.Now - _gaveWay > GivesWayNoSooner))
        {
            // What is left to do here, killing and reaping and saving, would take the processor that it is just starting on, and
            // it is the one for whom clients wait: it has it until it has said something.
            Polling.Await(process.Notify.Descriptor, GivesWayFor);
            _gaveWay = _loop.Now;
        }

        var pid = process.Pid;
        process.Never = [.. listeners.SelectMany(handle => handle.Leaving)];
        _processes.Add(worker.Id, process);
        _spawned.Add(new WorkerSpawned(worker.Id, pid));
        if (spec.Handoff is not (HandoffKind.None or HandoffKind.ScmRights))
        {
            var number = spec.Handoff == HandoffKind.Stdin ? 0 : HandoffEnvironment.ListenFdsStart;
            var given = new List<ListenerSocket>();
            foreach (var (handle, socket) in listeners.SelectMany(handle => shares[handle].Select(socket => (handle, socket))))
            {
                given.Add(socket);
                handle.History.Add(
                    HandlePhase.Handoff, "execve", actor: new HistoryActor(pid, $"{Name}/{worker.Slot}"),
                    note: $"{(handle.Sockets.Count > 1 ? $"shard {socket.Shard}: " : "")}descriptor {number} of worker {worker.Slot}, generation {worker.Generation}, by {Word(spec.Handoff)}");
                number = Math.Max(number + 1, HandoffEnvironment.ListenFdsStart);
            }

            process.Sockets = given;
        }

        Attach(worker.Id, process);
        LookAt(worker.Id, process);

        // Now, while others are on their way to their programs: the state is written when all of them are there.
        _ = process.StartTime;
    }

    private void Attach(int workerId, WorkerProcess process)
    {
        _loop.Watch(process.Notify.Descriptor, () => Hear(workerId, process));
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
    private IReadinessLook? Look(WorkerProcess process, ServiceSpec spec, IReadOnlyList<ListenerHandle> listeners)
    {
        var readiness = spec.Readiness;
        switch (readiness.Kind)
        {
            case ReadinessKind.Accepting:
                return new AcceptingLook(
                    () => process.Pid,
                    [.. listeners.Where(handle => handle.Spec.Address.Kind.Listens()).SelectMany(handle => handle.Sockets.Where(socket => process.Sockets?.Contains(socket) != false).Select(socket => (handle.Name, socket.Inode)))]);
            case ReadinessKind.Http:
                var asked = listeners.First(handle => HttpLook.Asks(handle.Spec.Address.Kind));
                return new HttpLook(() => process.Pid, readiness.Path!, asked.Name, asked.Effective!, State.Workers.Length);
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

    private static string Word(HandoffKind kind) => kind switch
    {
        HandoffKind.ListenFds => "listen-fds",
        HandoffKind.ScmRights => "scm-rights",
        HandoffKind.Einhorn => "einhorn",
        HandoffKind.ServerStarter => "server-starter",
        HandoffKind.Nginx => "nginx",
        HandoffKind.Gunicorn => "gunicorn",
        HandoffKind.Stdin => "stdin",
        HandoffKind.None => "none",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}
