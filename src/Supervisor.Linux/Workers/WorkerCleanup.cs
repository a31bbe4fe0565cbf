using System.Collections.Immutable;
using System.Globalization;
using Supervisor.Core;
using Supervisor.Core.Services;
using Supervisor.Core.Workers;
using Supervisor.Linux.Kernel;

namespace Supervisor.Linux.Workers;

/// <summary>
/// Finds, tells, awaits and kills the processes of a worker, as <see cref="WorkerEnding"/> and <see cref="StopSignals"/> ask. Lives on the
/// loop; <see cref="Sweeper"/> does the work off it.
/// </summary>
internal sealed class WorkerCleanup(ServiceContext service)
{
    private readonly WorkerSweeps _sweeps = new(service);
    private readonly List<WorkerEnded> _ended = [];
    private readonly List<(int WorkerId, WorkerProcess Process, ExitReason Reason)> _alone = [];

    private Sweeper Sweeps =>
        service.Orphans?.Sweeper ?? throw new InvalidOperationException("a running service needs an orphan reaper");

    /// <summary>Continues to wait for the rest of a worker whose main process has exited under a predecessor.</summary>
    public void Resume(int workerId, WorkerProcess process)
    {
        if (process.LastSweep is null && service.Worker(workerId)?.MainExit is { } reason)
        {
            AwaitRest(workerId, process, reason);
        }
    }

    /// <summary>
    /// Looks for the processes of a worker besides its main process, and sends them the stop signal if <c>stop_mode</c> says so. The
    /// main process too, unless it <paramref name="isTold"/> already.
    /// </summary>
    public void Announce(SignalEffect signal, WorkerProcess process, bool isTold, Action onTold)
    {
        var (workerId, mode) = (signal.Worker.Id, service.SpecOf(signal.Worker.Id).StopMode);
        var isForAll = mode == StopMode.Group && signal.Signal != Signals.Abort;
        Sweeps.Begin(_sweeps.Of(
            workerId, process, isForAll ? process.Rest.Tell(signal.Signal) : signal.Signal, isForAll ? null : process.Pid,
            isTold ? [process.Pid] : [], rest =>
            {
                onTold();
                process.Rest.Note(rest.Where(one => one.Pid != process.Pid));
            }));
    }

    /// <summary>
    /// Looks for what a worker leaves behind after its main process has exited, sends it the stop signal if <c>stop_mode</c> says so, and
    /// waits for it. Then the worker has ended.
    /// </summary>
    public void AwaitRest(int workerId, WorkerProcess process, ExitReason reason, bool isAgain = false)
    {
        var spec = service.SpecOf(workerId);
        var signal = spec.StopMode == StopMode.Group ? process.Rest.Tell(spec.StopSignal) : 0;
        var sweep = _sweeps.Of(workerId, process, signal, null, Leaders(process), rest =>
        {
            if (service.Processes.GetValueOrDefault(workerId) != process || process.LastSweep is not null)
            {
                foreach (var one in rest)
                {
                    one.Pidfd.Dispose();
                }

                return;
            }

            // What was found has exited before it could be watched, or cannot be watched. Nothing would report its end.
            if (rest.Count == 0)
            {
                if (isAgain)
                {
                    KillRest(workerId, process, reason);
                }
                else
                {
                    AwaitRest(workerId, process, reason, isAgain: true);
                }

                return;
            }

            process.Rest.Watch(service.Loop, rest, () => AwaitRest(workerId, process, reason));
            service.Post(new WorkerRemains(workerId, reason, rest.Count, Describe(rest, signal)));
            service.Drains.Told(workerId);
        }, isTimedOut => Finish(workerId, process, reason, isTimedOut));
        sweep.CanWait = sweep.Cgroup is null && service.State.IsStarted && service.Worker(workerId) is { RestartDecided: true };
        Sweeps.Begin(sweep);
    }

    /// <summary>Kills all processes of a worker whose main process still runs.</summary>
    public void Kill(int workerId, WorkerProcess process)
    {
        process.LastSweep = _sweeps.Of(workerId, process, stopSignal: null);
        Sweeps.Begin(process.LastSweep);
    }

    /// <summary>Kills the rest of a worker whose main process has exited.</summary>
    public void KillRest(int workerId, WorkerProcess process, ExitReason reason)
    {
        process.Rest.Unwatch(service.Loop);
        process.LastSweep?.IsCancelled = true;
        process.LastSweep = _sweeps.Of(
            workerId, process, stopSignal: null, onDone: isTimedOut => Finish(workerId, process, reason, isTimedOut));
        Sweeps.Begin(process.LastSweep);
    }

    /// <summary>The whole worker has exited.</summary>
    private void Finish(int workerId, WorkerProcess process, ExitReason reason, bool isTimedOut)
    {
        if (service.Processes.GetValueOrDefault(workerId) != process)
        {
            return;
        }

        if (isTimedOut)
        {
            service.Log.RestNotKilled(process.Pid);
        }

        process.Rest.Unwatch(service.Loop);
        service.Watching.UnwatchOutput(process);
        process.Output?.Drain();
        process.Error.Drain();
        service.Processes.Remove(workerId);
        if (service.Worker(workerId) is { Connection: not null })
        {
            PostSoon(new WorkerEnded(workerId, reason));
        }
        else
        {
            service.Ending.Decide(new WorkerEnded(workerId, reason));
        }

        process.Reap();
        process.Dispose();
    }

    /// <summary>
    /// Whether only the process of a connection is known, and no sweep is under way for it: a sweep needs its numbers until it is done.
    /// </summary>
    public static bool IsAlone(WorkerState? worker, WorkerProcess process) =>
        worker is { Connection: not null, EndReason: EndReason.None }
        && process is { Main.IsForeign: false, Main.IsHandedOver: false, Main.First: null, LastSweep: null };

    /// <summary>
    /// Ends the process of a connection at the end of this turn, with all others of the turn. Most of them leave nothing behind, and one
    /// look shows that for all.
    /// </summary>
    public void FinishSoon(int workerId, WorkerProcess process, ExitReason reason)
    {
        if (_alone.Count == 0)
        {
            service.Loop.AtTurnEnd(() =>
            {
                var haveNothingLeft = Sweeps.HaveNothingLeft();
                foreach (var (id, ended, why) in _alone)
                {
                    if (haveNothingLeft && IsAlone(service.Worker(id), ended))
                    {
                        Finish(id, ended, why, isTimedOut: false);
                    }
                    else if (ended.LastSweep is null)
                    {
                        AwaitRest(id, ended, why);
                    }
                }

                _alone.Clear();
            });
        }

        _alone.Add((workerId, process, reason));
    }

    /// <summary>The same at the end of this turn, with all others of the turn: no replacement waits for it.</summary>
    private void PostSoon(WorkerEnded ended)
    {
        if (_ended.Count == 0)
        {
            service.Loop.AtTurnEnd(() =>
            {
                var all = new WorkersEnded([.. _ended]);
                _ended.Clear();
                service.Post(all);
            });
        }

        _ended.Add(ended);
    }

    /// <summary>The processes of an exited worker that are not among the remaining ones: the zombies.</summary>
    private static ImmutableArray<int> Leaders(WorkerProcess process) =>
        process.Main.First is null ? [process.Session, process.Pid] : [process.Pid];

    private static string Describe(IReadOnlyList<RemainingProcess> rest, int signal)
    {
        const int most = 5;
        var named = string.Join(", ", rest.Take(most).Select(one => string.Create(
            CultureInfo.InvariantCulture, $"pid {one.Pid}{(ProcFile.Command(one.Pid) is { } command ? $" ({command})" : "")}")));
        return (rest.Count == 1 ? $"a process of it remains: {named}"
            : string.Create(CultureInfo.InvariantCulture, $"{rest.Count} processes of it remain: {named}"))
            + (rest.Count > most ? ", ..." : "") + (signal > 0 ? $", which got {Signals.Name(signal)}" : "");
    }
}
