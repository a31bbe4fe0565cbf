using Supervisor.Core.Protocols;
using Supervisor.Core.Services;
using Supervisor.Core.Workers;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>What workers say of themselves.</summary>
public sealed partial class ServiceRunner
{
    private ServiceSpec TermsOf(int workerId) =>
        State.Workers.FirstOrDefault(worker => worker.Id == workerId) is { } worker ? State.SpecOf(worker.Generation) : State.Spec;

    /// <summary>Descriptors of the daemon that no stored one may take.</summary>
    private const int LeftByStored = 8 * DescriptorReserve.FromWorkers;

    /// <summary>How long an ended worker's last descriptors are waited for.</summary>
    private static readonly TimeSpan LastWordsWithin = TimeSpan.FromSeconds(1);

    /// <summary>Workers that have ended while descriptors of theirs are received, until when, and what is done then.</summary>
    private readonly Dictionary<int, (TimeSpan Until, Action Again)> _lastWords = [];

    /// <summary>How many senders a worker's end waits for to be looked at.</summary>
    private const int MostLastLooks = 8;

    /// <summary>
    /// Takes what a worker has said that has ended. False where that is not over: a sender has to be looked at first, or the
    /// worker's last descriptors are still being received, since what it stores belongs to its successor.
    /// <paramref name="again"/> is called when it may be over, or when it has taken too long.
    /// </summary>
    private bool TakeMessages(int workerId, WorkerProcess process, Action again)
    {
        var isOver = process.Notify.Drain(again, out var unknown);
        if (unknown != 0)
        {
            process.LastLooks++;
            LookAt(workerId, process, unknown, again);
            return false;
        }

        if (isOver || (_lastWords.TryGetValue(workerId, out var last) && last.Until <= _loop.Now))
        {
            _lastWords.Remove(workerId);
            return true;
        }

        _lastWords.TryAdd(workerId, (_loop.Now + LastWordsWithin, again));
        return false;
    }

    /// <summary>Whether a process is the worker's, as far as one call tells; null where it has to be looked at.</summary>
    private static bool? Knows(WorkerProcess process, int pid) => process.Knows(pid) ?? (process.LastLooks < MostLastLooks ? null : false);

    /// <summary>Finds out off the loop whether a process is the worker's, for its next message; nothing comes of it where the worker has ended by then.</summary>
    private void LookAt(int workerId, WorkerProcess process, int pid, Action onSeen)
    {
        process.IsLooking = true;
        _looks.Ask<ProcessLineage>(
            process.Uid,
            () => async () =>
            {
                using var pidfd = Processes.OpenPidfd(pid, out _);
                return pidfd is null ? null : await ProcessLook.ReadWithTokenAsync(pid, pidfd, IsSpawned).ConfigureAwait(false);
            },
            lineage =>
            {
                process.IsLooking = false;
                if (_processes.GetValueOrDefault(workerId) == process && !process.IsEnding)
                {
                    process.Notify.Resume();
                    process.Known[pid] = (lineage?.Chain[0].StartTime ?? 0, lineage is not null && process.Owns(lineage));
                    if (process.EndWaits)
                    {
                        WatchEnd(workerId, process);
                    }
                    else
                    {
                        onSeen();
                    }
                }
            });
    }

    private bool IsSpawned(int pid) => _orphans?.IsOwn(pid) == true;

    /// <summary>One message: who the worker is comes first, what it says of itself next, what changes its state last.</summary>
    private void Take(int workerId, WorkerProcess process, NotifyMessage message, IList<DescriptorHandle> descriptors)
    {
        if (message.MainPid is { } main && main != process.Pid)
        {
            HandOver(workerId, process, main);
        }

        if (State.Workers.FirstOrDefault(worker => worker.Id == workerId) is { } worker)
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
            Post(new WorkerTimeoutExtended(workerId, extension));
        }

        if (message.WatchdogInterval is { } interval)
        {
            Post(new WorkerWatchdogSet(workerId, interval));
        }

        if (message.IsReloading)
        {
            process.SayReloading(true);
        }
        else if (message.IsReady)
        {
            process.SayReloading(false);
        }

        if (message.IsReady && TermsOf(workerId).Readiness.Kind == ReadinessKind.Notify)
        {
            Post(new WorkerReady(workerId));
        }

        if (message.IsStopping)
        {
            Post(new WorkerLeaving(workerId));
        }

        if (message.IsAlive)
        {
            Post(new WorkerAlive(workerId));
        }

        if (message.IsHung)
        {
            Post(new WorkerHung(workerId));
        }
    }

    private void Store(WorkerState worker, WorkerProcess process, NotifyMessage message, IList<DescriptorHandle> descriptors)
    {
        if (message.RemovesDescriptors && message.DescriptorName is { } removed)
        {
            _stored.Remove(worker.Slot, removed);
        }

        if (!message.StoresDescriptors)
        {
            return;
        }

        var handoff = State.SpecOf(worker.Generation).Handoff;
        if (!HandoffEnvironment.PassesStored(handoff))
        {
            _log.MessageRefused(process, process.Pid, "handoff", $"FDSTORE=1: descriptors cannot be given back by {handoff.ToWireName()}; use handoff = \"listen-fds\"");
            return;
        }

        while (descriptors.Count > 0)
        {
            if ((ulong)descriptors[0].Number + LeftByStored >= Processes.DescriptorLimit())
            {
                _log.MessageRefused(process, process.Pid, "limit", "FDSTORE=1: the daemon's last descriptors are kept for its own use and for other services: raise LimitNOFILE= in its unit, or ulimit -n");
                return;
            }

            if (_stored.Store(worker.Slot, message.DescriptorName ?? StoredName.Default, descriptors[0]) is { } refused)
            {
                _log.MessageRefused(process, process.Pid, "store", "FDSTORE=1: " + refused);
                return;
            }

            descriptors.RemoveAt(0);
        }
    }

    /// <summary>MAINPID=: the pidfd is opened first, so that whom it names is who is looked at.</summary>
    private void HandOver(int workerId, WorkerProcess process, int pid)
    {
        var pidfd = Processes.OpenPidfd(pid, out _);

        // What was found out is of the process that was there then: the pidfd must be of the same one.
        var isOurs = process.Knows(pid) == true && (!process.Known.TryGetValue(pid, out var known) || ProcFile.Read(pid)?.StartTime == known.StartTime);
        if (pidfd is null || !isOurs)
        {
            pidfd?.Dispose();
            _log.MessageRefused(process, pid, "mainpid", $"MAINPID={pid} is none of its descendants");
            return;
        }

        var before = process.Pid;
        _loop.Unwatch(process.Pidfd);
        if (process.First is not null)
        {
            _loop.Unwatch(process.First);
        }

        process.HandOver(pid, pidfd);
        _loop.Watch(process.Pidfd, () => Ended(workerId, process));
        if (process.First is { } first)
        {
            _loop.Watch(first, () => FirstEnded(process));
        }

        Post(new WorkerMainProcess(workerId, pid));
        if (State.Workers.FirstOrDefault(worker => worker.Id == workerId) is { } worker)
        {
            _log.MainProcess(worker, process.Session, before, pid);
        }
    }
}
