using Supervisor.Core.Services;
using Supervisor.Core.Workers;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>Ends a worker: its last messages, its exit, its replacement, and the kill of what it leaves behind.</summary>
/// <remarks>
/// A pidfd reports a worker's exit. First its last messages and output are read. Then the machine decides, and a replacement is
/// spawned at once. Only then the daemon kills the rest of the session and reaps the zombie. Until then the zombie keeps the
/// process id, and so the session id, from other processes.
/// </remarks>
internal sealed class WorkerEnding(ServiceContext service)
{
    private int _sweeping;
    private bool _awaitsOrphans;

    /// <summary>Whether something that a worker left behind is being killed.</summary>
    public bool IsSweeping => _sweeping > 0;

    /// <summary>Whether the machine is deciding about a worker that is replaced at once.</summary>
    public bool IsReplacing { get; private set; }

    /// <summary>SIGKILL to a worker's session, if it has a process.</summary>
    public void Kill(int workerId)
    {
        if (service.Processes.TryGetValue(workerId, out var process))
        {
            Kill(process);
        }
    }

    public static readonly ExitReason Abandoned = new(false, "exited with status 0 and named no MAINPID");

    public void FirstEnded(WorkerProcess process)
    {
        if (process.First is { } first && Processes.PeekExit(first) is { } exit)
        {
            service.Loop.Unwatch(first);
            service.Log.FirstEnded(process.Session, process.Pid, Reason(exit).Text);
            process.ReapFirst();
            AwaitOrphans();
        }
    }

    public void Ended(int workerId, WorkerProcess process)
    {
        service.Spawning.Settle(workerId, process);
        var exit = Processes.PeekExit(process.Pidfd);
        if (exit is null && process.IsForeign)
        {
            exit = Processes.ExitOfForeign(process.Pidfd);
        }
        else if (exit is null && !process.IsHandedOver)
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

        if (process.IsHandedOver && process.First is { } first && exit is not null && Processes.PeekExit(first) is not null
            && Processes.PeekExit(process.Pidfd) is null)
        {
            // The last message of the spawned process named another main process, which lives.
            FirstEnded(process);
            return;
        }

        if (exit is { Signalled: false, Status: 0 } && !process.IsHandedOver
            && service.SpecOf(workerId).Readiness.Kind == ReadinessKind.Notify
            && service.Worker(workerId) is { Phase: WorkerPhase.Starting } starting
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
            service.Loop.Unwatch(process.Pidfd);
            process.ReapFirst();
            service.Log.AwaitsMain(starting, process.Session);

            // The remaining process may have exited in the meantime.
            EndAbandoned();
            return;
        }

        var reason = exit is { } known ? Reason(known) : new ExitReason(true, "exited; only its parent knows the status");
        if (process.Status.ErrnoText is { } errno && !reason.Clean)
        {
            reason = reason with { Text = $"{reason.Text}, after ERRNO={errno}" };
        }

        End(workerId, process, reason);
    }

    /// <summary>Defers the exit until a search off the loop is done.</summary>
    private void Pause(WorkerProcess process)
    {
        service.Loop.Unwatch(process.Pidfd);
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
        service.Loop.Watch(process.Pidfd, () => Ended(workerId, process));
        Ended(workerId, process);
    }

    /// <summary>
    /// Handles the exit of a worker. A worker that needs a replacement at once is replaced first. Any other exit reaches the
    /// machine when what the worker left behind is dead, so a client that waits for the exit waits for that too.
    /// </summary>
    public void End(int workerId, WorkerProcess process, ExitReason reason)
    {
        if (process.IsEnding)
        {
            return;
        }

        service.Messages.Forget(workerId);
        service.ReportEnding();
        process.Output.Drain();
        process.Error.Drain();
        service.Watching.Unwatch(process);
        process.BeginEnd();
        process.KillKnown();
        var isReplaced = service.State.IsStarted && service.Worker(workerId) is { EndReason: EndReason.None };
        if (isReplaced)
        {
            ReportEnd();

            // A successor of the daemon does not get this path, so the file is removed now.
            process.Notify.Dispose();
        }

        _sweeping++;
        var isLast = !service.State.IsStarted && service.Processes.Values.All(other => other.IsEnding);
        Sweeps.Begin(process.Rest(
            isLast,
            ListenerNames(),
            (stray, command, listener, byToken) => service.Log.StrayKilled(process.Pid, stray, command, listener, byToken),
            isTimedOut =>
            {
                _sweeping--;
                if (isTimedOut)
                {
                    service.Log.RestNotKilled(process.Pid);
                }

                process.Output.Drain();
                process.Error.Drain();
                if (!isReplaced)
                {
                    ReportEnd();
                }

                process.Reap();
                process.Dispose();
                if (isReplaced && service.IsGone)
                {
                    service.Report();
                }
            }));

        void ReportEnd()
        {
            service.Processes.Remove(workerId);
            IsReplacing = true;
            service.Post(new WorkerEnded(workerId, reason));
            IsReplacing = false;
        }
    }

    /// <summary>Sends SIGKILL to a worker and its processes; part of it runs off the loop.</summary>
    public void Kill(WorkerProcess process)
    {
        if (!process.IsEnding)
        {
            process.KillKnown();
            Sweeps.Begin(process.Rest());
        }
    }

    private Sweeper Sweeps =>
        service.Orphans?.Sweeper ?? throw new InvalidOperationException("a running service needs an orphan reaper");

    private Dictionary<ulong, string> ListenerNames()
    {
        var names = new Dictionary<ulong, string>();
        foreach (var handle in service.Generations.AllListeners)
        {
            foreach (var socket in handle.Sockets.Concat(handle.Leaving))
            {
                names[socket.Inode] = handle.Name;
            }
        }

        return names;
    }

    /// <summary>
    /// Looks again at workers whose first process has exited when orphans were reaped: the last of their processes may be among them.
    /// </summary>
    public void AwaitOrphans()
    {
        if (!_awaitsOrphans && service.Processes.Values.Any(process => process is { AwaitsMain: true, IsEnding: false }))
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
        foreach (var (id, process) in service.Processes.Where(pair => pair.Value is { AwaitsMain: true, IsEnding: false }).ToArray())
        {
            service.Lineage.FindOrphans(id, process, has =>
            {
                if (!has && process.AwaitsMain && !process.IsExamining && service.Messages.TakeLast(id, process, EndAbandoned)
                    && process.AwaitsMain)
                {
                    End(id, process, Abandoned);
                }
            });
        }
    }

    private static ExitReason Reason(Processes.Exit exit) =>
        exit.Signalled ? ExitReason.Signalled(exit.Status, exit.CoreDumped) : ExitReason.Exited(exit.Status);
}
