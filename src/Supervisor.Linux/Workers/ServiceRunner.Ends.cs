using Supervisor.Core.Services;
using Supervisor.Core.Workers;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>How a worker ends and is cleared away.</summary>
public sealed partial class ServiceRunner
{
    private static readonly ExitReason Abandoned = new(false, "exited with status 0 and named no MAINPID");

    private void FirstEnded(WorkerProcess process)
    {
        if (process.First is { } first && Processes.PeekExit(first) is { } exit)
        {
            _loop.Unwatch(first);
            _log.FirstEnded(process.Session, process.Pid, Reason(exit).Text);
            process.ReapFirst();
        }
    }

    private void Ended(int workerId, WorkerProcess process)
    {
        Settle(workerId, process);
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

        if (!TakeMessages(workerId, process, () => WatchEnd(workerId, process)))
        {
            return;
        }

        if (process.IsHandedOver && process.First is { } first && exit is not null && Processes.PeekExit(first) is not null && Processes.PeekExit(process.Pidfd) is null)
        {
            // The last message of the spawned process named another one, which lives.
            FirstEnded(process);
            return;
        }

        if (exit is { Signalled: false, Status: 0 } && !process.IsHandedOver
            && TermsOf(workerId).Readiness.Kind == ReadinessKind.Notify
            && State.Workers.FirstOrDefault(worker => worker.Id == workerId) is { Phase: WorkerPhase.Starting } starting
            && process.HasOrphans())
        {
            // A daemon that forks twice: the one that stays has yet to say who it is.
            _loop.Unwatch(process.Pidfd);
            process.ReapFirst();
            _log.AwaitsMain(starting, process.Session);
            return;
        }

        var reason = exit is { } known ? Reason(known) : new ExitReason(true, "ended; how, is known to its parent alone");
        if (process.ErrnoText is { } errno && !reason.Clean)
        {
            reason = reason with { Text = $"{reason.Text}, having said {errno}" };
        }

        End(workerId, process, reason);
    }

    /// <summary>Looks at a worker's end again.</summary>
    private void WatchEnd(int workerId, WorkerProcess process)
    {
        // Its messages may have named another process, which is watched then.
        _loop.Unwatch(process.Pidfd);
        _loop.Watch(process.Pidfd, () => Ended(workerId, process));
    }

    private void End(int workerId, WorkerProcess process, ExitReason reason)
    {
        _lastWords.Remove(workerId);
        Ending?.Invoke(this);
        process.Output.Drain();
        process.Error.Drain();
        _processes.Remove(workerId);
        Unwatch(process);
        _isReplacing = true;
        Post(new WorkerEnded(workerId, reason));
        _isReplacing = false;

        process.KillSession();
        Sweep.Kill(process.Strays, stray => _log.StrayKilled(process.Pid, stray, ProcFile.Command(stray)));
        process.Output.Drain();
        process.Error.Drain();
        process.Reap();
        process.Dispose();
    }

    /// <summary>Ends workers whose first process is gone, and of whom nobody is left to name another.</summary>
    private void EndAbandoned()
    {
        foreach (var (id, process) in _processes.Where(pair => pair.Value.AwaitsMain && !pair.Value.HasOrphans()).ToArray())
        {
            if (TakeMessages(id, process, EndAbandoned) && process.AwaitsMain)
            {
                End(id, process, Abandoned);
            }
        }
    }

    private static ExitReason Reason(Processes.Exit exit) =>
        exit.Signalled ? ExitReason.Signalled(exit.Status, exit.CoreDumped) : ExitReason.Exited(exit.Status);

    private void Unwatch(WorkerProcess process)
    {
        if (process.Launch is { } launch)
        {
            _loop.Unwatch(launch.Status);
        }

        _loop.Unwatch(process.Pidfd);
        if (process.First is not null)
        {
            _loop.Unwatch(process.First);
        }

        process.Notify.Unwatch();
        _loop.Unwatch(process.Output.Descriptor);
        _loop.Unwatch(process.Error.Descriptor);
    }
}
