using Supervisor.Core.Protocols;
using Supervisor.Core.Services;
using Supervisor.Core.Workers;
using Supervisor.Linux.Handoff;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>What workers send to their notify sockets.</summary>
internal sealed class WorkerMessages(ServiceContext service)
{
    /// <summary>
    /// Workers that have ended while descriptors of theirs are received: until when these are awaited, and what is done
    /// then.
    /// </summary>
    private readonly Dictionary<int, (TimeSpan Until, Action Again)> _lastWords = [];

    /// <summary>When the wait for an ended worker's last descriptors is over; null where there is none.</summary>
    public TimeSpan? NextDeadline
    {
        get
        {
            TimeSpan? next = null;
            foreach (var (until, _) in _lastWords.Values)
            {
                next = next <= until ? next : until;
            }

            return next;
        }
    }

    /// <summary>Waits that are over end.</summary>
    public void PassDeadline()
    {
        foreach (var (_, again) in _lastWords.Values.Where(last => last.Until <= service.Loop.Now).ToArray())
        {
            again();
        }
    }

    /// <summary>The worker's end is decided: nothing more of it is awaited.</summary>
    public void Forget(int workerId) => _lastWords.Remove(workerId);

    /// <summary>Descriptors of the daemon that no stored one may take.</summary>
    private const int LeftByStored = 8 * DescriptorReserve.FromWorkers;

    /// <summary>How long an ended worker's last descriptors are waited for.</summary>
    private static readonly TimeSpan LastWordsWithin = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Takes what a worker has said that has ended. False where that is not over: a sender has to be looked at first, or the
    /// worker's last descriptors are still being received, since what it stores belongs to its successor.
    /// <paramref name="again"/> is called when it may be over, or when it has taken too long.
    /// </summary>
    public bool TakeLast(int workerId, WorkerProcess process, Action again)
    {
        var isOver = process.Notify.Drain(again, out var unknown);
        if (unknown != 0)
        {
            process.LastLooks++;
            service.Lineage.Identify(workerId, process, unknown, again);
            return false;
        }

        if (isOver || (_lastWords.TryGetValue(workerId, out var last) && last.Until <= service.Loop.Now))
        {
            _lastWords.Remove(workerId);
            return true;
        }

        _lastWords.TryAdd(workerId, (service.Loop.Now + LastWordsWithin, again));
        return false;
    }

    /// <summary>One message: who the worker is comes first, what it says of itself next, what changes its state last.</summary>
    public void Take(int workerId, WorkerProcess process, NotifyMessage message, IList<DescriptorHandle> descriptors)
    {
        if (message.MainPid is { } main && main != process.Pid)
        {
            HandOver(workerId, process, main);
        }

        if (service.Worker(workerId) is { } worker)
        {
            Store(worker, process, message, descriptors);
        }

        if (message.Status is { } status)
        {
            process.Say(status);
        }

        if (message.Errno is { } errno)
        {
            process.SayErrno(errno);
        }

        if (message.Extension is { } extension)
        {
            service.Post(new WorkerTimeoutExtended(workerId, extension));
        }

        if (message.WatchdogInterval is { } interval)
        {
            service.Post(new WorkerWatchdogSet(workerId, interval));
        }

        if (message.IsReloading)
        {
            process.SayReloading(true);
        }
        else if (message.IsReady)
        {
            process.SayReloading(false);
        }

        if (message.IsReady && service.SpecOf(workerId).Readiness.Kind == ReadinessKind.Notify)
        {
            service.Post(new WorkerReady(workerId));
        }

        if (message.IsStopping)
        {
            service.Post(new WorkerLeaving(workerId));
        }

        if (message.IsAlive)
        {
            service.Post(new WorkerAlive(workerId));
        }

        if (message.IsHung)
        {
            service.Post(new WorkerHung(workerId));
        }
    }

    private void Store(WorkerState worker, WorkerProcess process, NotifyMessage message, IList<DescriptorHandle> descriptors)
    {
        if (message.RemovesDescriptors && message.DescriptorName is { } removed)
        {
            service.Stored.Remove(worker.Slot, removed);
        }

        if (!message.StoresDescriptors)
        {
            return;
        }

        var handoff = service.State.SpecOf(worker.Generation).Handoff;
        if (!HandoffEnvironment.PassesStored(handoff))
        {
            service.Log.MessageRefused(process, process.Pid, "handoff",
                $"FDSTORE=1: descriptors cannot be given back by {handoff.ToWireName()}; use handoff = \"listen-fds\"");
            return;
        }

        while (descriptors.Count > 0)
        {
            if ((ulong)descriptors[0].Number + LeftByStored >= Processes.DescriptorLimit())
            {
                service.Log.MessageRefused(process, process.Pid, "limit",
                    "FDSTORE=1: the daemon's last descriptors are kept for its own use and for other services: raise LimitNOFILE= in its unit, or ulimit -n");
                return;
            }

            if (service.Stored.Store(worker.Slot, message.DescriptorName ?? StoredName.Default, descriptors[0]) is { } refused)
            {
                service.Log.MessageRefused(process, process.Pid, "store", "FDSTORE=1: " + refused);
                return;
            }

            descriptors.RemoveAt(0);
        }
    }

    /// <summary>MAINPID=: the pidfd is opened first, so that the process which is checked is the one that it names.</summary>
    private void HandOver(int workerId, WorkerProcess process, int pid)
    {
        var pidfd = Processes.OpenPidfd(pid, out _);

        // What was found out is of the process that was there then: the pidfd must be of the same one.
        var isOurs = process.Knows(pid) == true
            && (!process.Known.TryGetValue(pid, out var known) || ProcFile.Read(pid)?.StartTime == known.StartTime);
        if (pidfd is null || !isOurs)
        {
            pidfd?.Dispose();
            service.Log.MessageRefused(process, pid, "mainpid", $"MAINPID={pid} is none of its descendants");
            return;
        }

        var before = process.Pid;
        service.Loop.Unwatch(process.Pidfd);
        if (process.First is not null)
        {
            service.Loop.Unwatch(process.First);
        }

        process.HandOver(pid, pidfd);
        service.Loop.Watch(process.Pidfd, () => service.Ending.Ended(workerId, process));
        if (process.First is { } first)
        {
            service.Loop.Watch(first, () => service.Ending.FirstEnded(process));
        }

        service.Post(new WorkerMainProcess(workerId, pid));
        if (service.Worker(workerId) is { } worker)
        {
            service.Log.MainProcess(worker, process.Session, before, pid);
        }
    }
}
