using Supervisor.Core.Services;
using Supervisor.Core.Workers;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>How a worker ends: its last messages, its exit, its replacement, and the kill of what it leaves.</summary>
/// <remarks>
/// A worker's end is seen on its pidfd. Its last messages and output are taken first. The machine decides and a replacement
/// is spawned at once. Only then is what is left of the session killed and the zombie reaped: until then it keeps the process
/// id, and so the session id, from another process.
/// </remarks>
internal sealed class WorkerEnding(ServiceContext service)
{
    private int _sweeping;

    /// <summary>Whether something that a worker left is being killed.</summary>
    public bool IsSweeping => _sweeping > 0;

    /// <summary>Whether the machine decides about a worker that is replaced at once.</summary>
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

        // A pidfd stays readable: the end is looked at again when what it waits for has come.
        if (process.IsLooking || !service.Messages.TakeLast(workerId, process, () => Continue(workerId, process)))
        {
            Pause(process);
            return;
        }

        if (process.IsHandedOver && process.First is { } first && exit is not null && Processes.PeekExit(first) is not null
            && Processes.PeekExit(process.Pidfd) is null)
        {
            // The last message of the spawned process named another one, which lives.
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

            // A daemon that forks twice: the one that stays has yet to say who it is.
            service.Loop.Unwatch(process.Pidfd);
            process.ReapFirst();
            service.Log.AwaitsMain(starting, process.Session);

            // Whoever was there may have exited in the meantime.
            EndAbandoned();
            return;
        }

        var reason = exit is { } known ? Reason(known) : new ExitReason(true, "ended; how, is known to its parent alone");
        if (process.ErrnoText is { } errno && !reason.Clean)
        {
            reason = reason with { Text = $"{reason.Text}, having said {errno}" };
        }

        End(workerId, process, reason);
    }

    /// <summary>The end waits for what is looked for beside the loop.</summary>
    private void Pause(WorkerProcess process)
    {
        service.Loop.Unwatch(process.Pidfd);
        process.EndWaits = true;
    }

    /// <summary>What the end waited for has come.</summary>
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
    /// The worker has ended. One whose place is to be taken at once is replaced first; of any other the service hears when
    /// what it left has been killed, so that whoever waits for its end waits for that too.
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

            // A successor of the daemon is not told of it any more, so its file must not stay either.
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

    /// <summary>SIGKILL to a worker and everything that belongs to it, which may take a moment beside the loop.</summary>
    public void Kill(WorkerProcess process)
    {
        if (!process.IsEnding)
        {
            process.KillKnown();
            Sweeps.Begin(process.Rest());
        }
    }

    private Sweeper Sweeps =>
        service.Orphans?.Sweeper ?? throw new InvalidOperationException("a service that runs has somebody to reap its orphans");

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

    /// <summary>Ends workers whose first process is gone, and of which no process is left to name another.</summary>
    public void EndAbandoned()
    {
        foreach (var (id, process) in service.Processes.Where(pair => pair.Value is { AwaitsMain: true, IsEnding: false }).ToArray())
        {
            service.Lineage.FindOrphans(id, process, has =>
            {
                if (!has && process.AwaitsMain && !process.IsLooking && service.Messages.TakeLast(id, process, EndAbandoned)
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
