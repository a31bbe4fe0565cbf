using Supervisor.Core.Handoff;
using Supervisor.Core.Services;
using Supervisor.Core.Workers;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>What workers say of themselves.</summary>
public sealed partial class ServiceRunner
{
    private ServiceSpec TermsOf(int workerId) =>
        State.Workers.FirstOrDefault(worker => worker.Id == workerId) is { } worker ? State.SpecOf(worker.Generation) : State.Spec;

    /// <summary>How many senders a worker's end waits for to be looked at.</summary>
    private const int MostLastLooks = 8;

    /// <summary>Takes the messages that have come, up to one that says where the worker stands, or whose sender has to be looked at first.</summary>
    private void Hear(int workerId, WorkerProcess process)
    {
        if (process.IsLooking)
        {
            return;
        }

        process.Notify.Hear(
            process.Knows,
            (message, descriptors) => Take(workerId, process, message, descriptors),
            (reason, sender) => _log.MessageRefused(process.Pid, sender, reason),
            out var unknown);
        process.Known.Clear();
        if (unknown != 0)
        {
            _loop.Unwatch(process.Notify.Descriptor);
            LookAt(workerId, process, unknown, () =>
            {
                _loop.Watch(process.Notify.Descriptor, () => Hear(workerId, process));
                Hear(workerId, process);
            });
        }
    }

    /// <summary>
    /// Takes all of a worker's last messages. False where a sender has to be looked at first: <paramref name="onSeen"/> is
    /// called then. The worker's end waits for that, though not for any number of senders.
    /// </summary>
    private bool TakeMessages(int workerId, WorkerProcess process, Action onSeen)
    {
        process.Notify.Drain(
            pid => process.Knows(pid) ?? (process.LastLooks < MostLastLooks ? null : false),
            (message, descriptors) => Take(workerId, process, message, descriptors),
            (reason, sender) => _log.MessageRefused(process.Pid, sender, reason),
            out var unknown);
        process.Known.Clear();
        if (unknown == 0)
        {
            return true;
        }

        process.LastLooks++;
        LookAt(workerId, process, unknown, onSeen);
        return false;
    }

    /// <summary>Finds out beside the loop whether a process is the worker's, for its next message; nothing comes of it where the worker has ended by then.</summary>
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
            _log.MessageRefused(process.Pid, process.Pid, $"FDSTORE=1: descriptors cannot be given back by {Word(handoff)}; use handoff = \"listen-fds\"");
            return;
        }

        while (descriptors.Count > 0)
        {
            if (_stored.Store(worker.Slot, message.DescriptorName ?? StoredName.Default, descriptors[0]) is { } refused)
            {
                _log.MessageRefused(process.Pid, process.Pid, "FDSTORE=1: " + refused);
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
            _log.MessageRefused(process.Pid, pid, $"MAINPID={pid} is none of its descendants");
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
            _log.MainProcess(worker, before, pid);
        }
    }
}
