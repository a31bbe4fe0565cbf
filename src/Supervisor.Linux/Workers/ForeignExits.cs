using Supervisor.Core.Services;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>
/// How workers exited that a daemon that has died had started. Only their parent, init, can reap them, and the kernel tells others
/// the status from then on. A decision about such a worker waits until its pidfd hangs up, up to a limit. Lives on the loop.
/// </summary>
internal sealed class ForeignExits(ServiceContext service)
{
    /// <summary>The limit if the status decides whether the worker is started again.</summary>
    private static readonly TimeSpan Decisive = TimeSpan.FromSeconds(2);

    /// <summary>The limit if only messages show the status.</summary>
    private static readonly TimeSpan Shown = TimeSpan.FromMilliseconds(20);

    private readonly Dictionary<int, TimeSpan> _waits = [];

    /// <summary>When the next wait is over; null if there is none.</summary>
    public TimeSpan? NextDeadline
    {
        get
        {
            TimeSpan? next = null;
            foreach (var until in _waits.Values)
            {
                next = next <= until ? next : until;
            }

            return next;
        }
    }

    /// <summary>Ends the waits whose time is over.</summary>
    public void PassDeadline()
    {
        foreach (var (workerId, _) in _waits.Where(wait => wait.Value <= service.Loop.LastPoll).ToArray())
        {
            Again(workerId);
        }
    }

    /// <summary>
    /// Reads the exit status of a worker's main process, which has exited. False if it may become known soon: then
    /// <see cref="WorkerEnding.Continue"/> is called when to ask again, and the pidfd is watched for that only. Null if it stays
    /// unknown.
    /// </summary>
    public bool TryRead(int workerId, WorkerProcess process, out Processes.Exit? exit)
    {
        exit = Processes.ExitOfForeign(process.Main.Pidfd);
        var now = service.Loop.Now;
        if (exit is not null || (_waits.TryGetValue(workerId, out var until) && until <= now))
        {
            _waits.Remove(workerId);
            return true;
        }

        _waits.TryAdd(workerId, now + (IsDecisive(workerId) ? Decisive : Shown));
        service.Schedule();
        process.EndWaits = true;
        service.Loop.Unwatch(process.Main.Pidfd);
        if (!service.Loop.TryWatchHangUp(process.Main.Pidfd, () => Again(workerId)))
        {
            _waits.Remove(workerId);
            return true;
        }

        return false;
    }

    /// <summary>Ends the wait for a worker whose exit has been handled.</summary>
    public void Forget(int workerId) => _waits.Remove(workerId);

    private void Again(int workerId)
    {
        if (service.Processes.TryGetValue(workerId, out var process))
        {
            // A pidfd without a status keeps hanging up.
            _waits[workerId] = service.Loop.Now;
            service.Ending.Continue(workerId, process);
        }
        else
        {
            _waits.Remove(workerId);
        }
    }

    private bool IsDecisive(int workerId) =>
        service.Worker(workerId) is { EndReason: EndReason.None } && service.SpecOf(workerId).Restart.Policy != RestartPolicy.Always;
}
