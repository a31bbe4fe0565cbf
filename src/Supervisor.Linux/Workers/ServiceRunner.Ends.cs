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

        // A pidfd stays readable: the end is looked at again when what it waits for has come.
        if (process.IsLooking || !TakeMessages(workerId, process, () => WatchEnd(workerId, process)))
        {
            Pause(process);
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
            && process.HadOrphans != false)
        {
            if (process.HadOrphans is null)
            {
                Pause(process);
                LookForOrphans(workerId, process, has =>
                {
                    process.HadOrphans = has;
                    WatchEnd(workerId, process);
                });
                return;
            }

            // A daemon that forks twice: the one that stays has yet to say who it is.
            _loop.Unwatch(process.Pidfd);
            process.ReapFirst();
            _log.AwaitsMain(starting, process.Session);

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
        _loop.Unwatch(process.Pidfd);
        process.EndWaits = true;
    }

    /// <summary>What the end waited for has come.</summary>
    private void WatchEnd(int workerId, WorkerProcess process)
    {
        if (!process.EndWaits || process.IsEnding || _processes.GetValueOrDefault(workerId) != process)
        {
            return;
        }

        process.EndWaits = false;
        _loop.Watch(process.Pidfd, () => Ended(workerId, process));
        Ended(workerId, process);
    }

    /// <summary>
    /// The worker has ended. One whose place is to be taken at once is replaced first; of any other the service hears when
    /// what it left has been killed, so that whoever waits for its end waits for that too.
    /// </summary>
    private void End(int workerId, WorkerProcess process, ExitReason reason)
    {
        if (process.IsEnding)
        {
            return;
        }

        _lastWords.Remove(workerId);
        Ending?.Invoke(this);
        process.Output.Drain();
        process.Error.Drain();
        Unwatch(process);
        process.BeginEnd();
        process.KillKnown();
        var isReplaced = State.IsStarted && State.Workers.FirstOrDefault(worker => worker.Id == workerId) is { EndReason: EndReason.None };
        if (isReplaced)
        {
            Tell();

            // A successor of the daemon is not told of it any more, so its file must not stay either.
            process.Notify.Dispose();
        }

        _sweeping++;
        var isLast = !State.IsStarted && _processes.Values.All(other => other.IsEnding);
        Sweeps.Begin(process.Rest(
            isLast,
            ListenerNames(),
            (stray, command, listener, byToken) => _log.StrayKilled(process.Pid, stray, command, listener, byToken),
            isTimedOut =>
            {
                _sweeping--;
                if (isTimedOut)
                {
                    _log.RestNotKilled(process.Pid);
                }

                process.Output.Drain();
                process.Error.Drain();
                if (!isReplaced)
                {
                    Tell();
                }

                process.Reap();
                process.Dispose();
                if (isReplaced && IsGone)
                {
                    Changed?.Invoke(this, []);
                }
            }));

        void Tell()
        {
            _processes.Remove(workerId);
            _isReplacing = true;
            Post(new WorkerEnded(workerId, reason));
            _isReplacing = false;
        }
    }

    /// <summary>SIGKILL to a worker and everything that belongs to it, which may take a moment beside the loop.</summary>
    private void Kill(WorkerProcess process)
    {
        if (!process.IsEnding)
        {
            process.KillKnown();
            Sweeps.Begin(process.Rest());
        }
    }

    private Sweeper Sweeps => _orphans?.Sweeper ?? throw new InvalidOperationException("a service that runs has somebody to reap its orphans");

    private Dictionary<ulong, string> ListenerNames()
    {
        var names = new Dictionary<ulong, string>();
        foreach (var handle in AllListeners)
        {
            foreach (var socket in handle.Sockets.Concat(handle.Leaving))
            {
                names[socket.Inode] = handle.Name;
            }
        }

        return names;
    }

    /// <summary>Ends workers whose first process is gone, and of which no process is left to name another.</summary>
    private void EndAbandoned()
    {
        foreach (var (id, process) in _processes.Where(pair => pair.Value is { AwaitsMain: true, IsEnding: false }).ToArray())
        {
            LookForOrphans(id, process, has =>
            {
                if (!has && process.AwaitsMain && !process.IsLooking && TakeMessages(id, process, EndAbandoned) && process.AwaitsMain)
                {
                    End(id, process, Abandoned);
                }
            });
        }
    }

    /// <summary>Looks beside the loop whether anybody of the worker is left whose parent is gone; asked again meanwhile, it looks again.</summary>
    private void LookForOrphans(int workerId, WorkerProcess process, Action<bool> onSeen)
    {
        if (process.OrphanLook.IsUnderWay)
        {
            process.OrphanLook = (true, true);
            return;
        }

        process.OrphanLook = (true, false);
        var facts = process.Facts;
        var cgroup = process.Cgroup?.Path;
        _looks.Ask<WorkerProcess>(
            process.Uid,
            () => async () => await OrphanLook.AnyAsync(facts, process.Session, cgroup, IsSpawned).ConfigureAwait(false) ? process : null,
            found =>
            {
                var isOutdated = process.OrphanLook.IsOutdated;
                process.OrphanLook = default;
                if (_processes.GetValueOrDefault(workerId) != process || process.IsEnding)
                {
                    return;
                }

                if (isOutdated && found is not null)
                {
                    LookForOrphans(workerId, process, onSeen);
                }
                else
                {
                    onSeen(found is not null);
                }
            });
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
