using System.Collections.Immutable;
using Supervisor.Core;
using Supervisor.Core.Services;
using Supervisor.Core.Workers;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>Ends a worker: its last messages, its exit and its replacement. Then <see cref="WorkerCleanup"/> waits for the rest.</summary>
/// <remarks>
/// A pidfd reports the exit of a worker's main process. First its last messages and output are read. Then the machine decides, and a
/// replacement is spawned at once. Only then the daemon looks for the rest of the worker, sends it the stop signal and waits for it.
/// At the deadline it kills the rest. In the end it reaps the zombie. Until then the zombie keeps the process id, and so the session
/// id, from other processes.
/// </remarks>
internal sealed class WorkerEnding(ServiceContext service)
{
    private bool _awaitsOrphans;

    /// <summary>Whether the machine is deciding about a worker that is replaced at once.</summary>
    public bool IsReplacing { get; private set; }

    /// <summary>SIGKILL to all processes of a worker, if it has one; part of it runs off the loop.</summary>
    public void Kill(int workerId)
    {
        if (!service.Processes.TryGetValue(workerId, out var process))
        {
            return;
        }

        if (process.KillKnown() is { } error)
        {
            Refused(workerId, process.Pid, Signals.Kill, error);
        }

        if (process.IsEnding)
        {
            service.Cleanup.KillRest(workerId, process, process.Exit ?? Abandoned);
        }
        else
        {
            service.Cleanup.Kill(workerId, process);
        }
    }

    public static readonly ExitReason Abandoned = new(false, "exited with status 0 and named no MAINPID");

    public void FirstEnded(WorkerProcess process)
    {
        if (process.Main.First is { } first && Processes.PeekExit(first) is { } exit)
        {
            service.Loop.Unwatch(first);
            service.Log.FirstEnded(process.Session, process.Pid, Reason(exit).Text);
            process.Main.ReapFirst();
            AwaitOrphans();
        }
    }

    public void Ended(int workerId, WorkerProcess process)
    {
        service.Spawning.Settle(workerId, process, isSoon: service.Worker(workerId)?.Connection is not null);
        var exit = Processes.PeekExit(process.Main.Pidfd);
        if (exit is null && process.Main.IsForeign)
        {
            if (!service.ForeignExits.TryRead(workerId, process, out exit))
            {
                return;
            }
        }
        else if (exit is null && !process.Main.IsHandedOver)
        {
            return;
        }

        if (process.LaunchFailure is { } unlaunched)
        {
            End(workerId, process, ExitReason.NotStarted(unlaunched));
            return;
        }

        // A pidfd stays readable: the exit is handled when the awaited event has occurred.
        if (process.IsExamining || !service.Messages.TakeLast(workerId, process, () => Continue(workerId, process)))
        {
            Pause(process);
            return;
        }

        if (process.Main.IsHandedOver && process.Main.First is { } first && exit is not null && Processes.PeekExit(first) is not null
            && Processes.PeekExit(process.Main.Pidfd) is null)
        {
            // The last message of the spawned process named another main process, which lives.
            FirstEnded(process);
            return;
        }

        if (exit is { Signalled: false, Status: 0 } && !process.Main.IsHandedOver
            && service.SpecOf(workerId).Readiness.Kind == ReadinessKind.Notify
            && service.Worker(workerId) is { Phase: WorkerPhase.Starting, Connection: null } starting
            && process.HadOrphans != false)
        {
            if (process.HadOrphans is null)
            {
                Pause(process);
                service.Lineage.FindOrphans(workerId, process, has =>
                {
                    process.HadOrphans = has;
                    Continue(workerId, process);
                });
                return;
            }

            // A daemon that forks twice: the remaining process has not named itself yet.
            service.Loop.Unwatch(process.Main.Pidfd);
            process.Main.ReapFirst();
            service.Log.AwaitsMain(starting, process.Session);

            // The remaining process may have exited in the meantime.
            EndAbandoned();
            return;
        }

        // Unknown is not clean: a crash that counts as a clean exit would stop the service for good.
        var reason = exit is { } known ? Reason(known) : new ExitReason(false, "exited; only its parent knows the status");
        if (process.Status.ErrnoText is { } errno && !reason.Clean)
        {
            reason = reason with { Text = $"{reason.Text}, after ERRNO={errno}" };
        }

        End(workerId, process, reason);
    }

    /// <summary>Defers the exit until a search off the loop is done.</summary>
    private void Pause(WorkerProcess process)
    {
        service.Loop.Unwatch(process.Main.Pidfd);
        process.EndWaits = true;
    }

    /// <summary>Handles the exit after the awaited event.</summary>
    public void Continue(int workerId, WorkerProcess process)
    {
        if (!process.EndWaits || process.IsEnding || service.Processes.GetValueOrDefault(workerId) != process)
        {
            return;
        }

        process.EndWaits = false;
        service.Loop.Unwatch(process.Main.Pidfd);
        service.Loop.Watch(process.Main.Pidfd, () => Ended(workerId, process));
        Ended(workerId, process);
    }

    /// <summary>
    /// Handles the exit of a worker's main process. A worker that needs a replacement at once is replaced first. Then the worker's
    /// other processes are waited for. A client that waits for the exit waits for that too.
    /// </summary>
    public void End(int workerId, WorkerProcess process, ExitReason reason)
    {
        if (process.IsEnding)
        {
            return;
        }

        service.Messages.Forget(workerId);
        service.ForeignExits.Forget(workerId);
        var worker = service.Worker(workerId);
        if (worker?.Connection is null)
        {
            service.ReportEnding();
        }

        process.Output?.Drain();
        process.Error.Drain();
        if (service.Limits.Ended(workerId, process) is { } memory)
        {
            reason = reason with { Text = $"{reason.Text}, {memory}" };
        }

        service.Watching.Unwatch(process);
        process.BeginEnd(reason);
        if (service.State.IsStarted && worker is { EndReason: EndReason.None, Connection: null })
        {
            Decide(new WorkerMainEnded(workerId, reason));
        }

        if (worker is null or { Phase: WorkerPhase.Killed } || process.LaunchFailure is not null)
        {
            service.Cleanup.KillRest(workerId, process, reason);
        }
        else if (WorkerCleanup.IsAlone(worker, process))
        {
            service.Cleanup.FinishSoon(workerId, process, reason);
        }
        else
        {
            service.Cleanup.AwaitRest(workerId, process, reason);
        }
    }

    /// <summary>Reports a signal that could not be sent.</summary>
    public void Refused(int workerId, int pid, int signal, SystemCallError error)
    {
        if (signal == Signals.Kill && service.Processes.TryGetValue(workerId, out var process))
        {
            process.KillRefusal = error;
        }

        if (service.Worker(workerId) is { } worker)
        {
            service.Log.SignalRefused(worker, pid, Signals.Name(signal), error.ToString(), SignalDelivery.Remedy);
        }
    }

    /// <summary>Continues without a worker that does not exit after SIGKILL. Its processes are named first, off the loop.</summary>
    public void Abandon(int workerId)
    {
        if (!service.Processes.TryGetValue(workerId, out var process))
        {
            return;
        }

        var roots = process.Roots;
        Task.Run(() => StuckProcess.Find(roots)).ContinueWith(
            task => service.Loop.Post(() =>
            {
                if (service.Processes.GetValueOrDefault(workerId) == process)
                {
                    service.Processes.Remove(workerId);
                    service.Messages.Forget(workerId);
                    service.ForeignExits.Forget(workerId);
                    service.Watching.Unwatch(process);
                    service.Watching.UnwatchOutput(process);
                    process.Rest.Unwatch(service.Loop);
                    service.Spawning.Abandon(workerId, process);
                    process.Abandon();
                    var stuck = task.IsCompletedSuccessfully ? task.Result : [];
                    var why = process.KillRefusal is { } refusal ? $"did not get SIGKILL, which was refused ({refusal.Name})"
                        : "did not exit after SIGKILL";
                    if (service.Worker(workerId) is { } worker)
                    {
                        service.Abandoned.Add(worker, why, stuck);
                    }

                    Decide(new WorkerAbandoned(workerId, $"{why}: {StuckProcess.Describe(stuck)}"));
                    process.Dispose();
                }
            }),
            TaskScheduler.Default);
    }

    /// <summary>Passes the exit of a worker to the machine, which may replace it at once.</summary>
    public void Decide(ServiceEvent what)
    {
        IsReplacing = true;
        service.Post(what);
        IsReplacing = false;
    }

    /// <summary>
    /// Looks again at workers whose first process has exited when orphans were reaped: the last of their processes may be among them.
    /// </summary>
    public void AwaitOrphans()
    {
        if (!_awaitsOrphans && service.Processes.Values.Any(process => process is { Main.AwaitsMain: true, IsEnding: false }))
        {
            _awaitsOrphans = true;
            service.Orphans?.AtNextReaping(() =>
            {
                _awaitsOrphans = false;
                EndAbandoned();
            });
        }
    }

    /// <summary>Ends workers whose first process has exited, and which have no process left that could name another.</summary>
    public void EndAbandoned()
    {
        AwaitOrphans();
        foreach (var (id, process) in service.Processes.Where(pair => pair.Value is { Main.AwaitsMain: true, IsEnding: false }).ToArray())
        {
            service.Lineage.FindOrphans(id, process, has =>
            {
                if (!has && process.Main.AwaitsMain && !process.IsExamining && service.Messages.TakeLast(id, process, EndAbandoned)
                    && process.Main.AwaitsMain)
                {
                    End(id, process, Abandoned);
                }
            });
        }
    }

    private static ExitReason Reason(Processes.Exit exit) =>
        exit.Signalled ? ExitReason.Signalled(exit.Status, exit.CoreDumped) : ExitReason.Exited(exit.Status);
}
