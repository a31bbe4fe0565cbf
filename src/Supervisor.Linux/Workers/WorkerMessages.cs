using System.Globalization;
using Supervisor.Core;
using Supervisor.Core.Protocols;
using Supervisor.Core.Services;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>Handles the messages that workers send to their notify sockets.</summary>
internal sealed class WorkerMessages(ServiceContext service)
{
    /// <summary>Workers that have exited while their descriptors are received: until when to wait, and what to do then.</summary>
    private readonly Dictionary<int, (TimeSpan Until, Action Again)> _lastWords = [];

    /// <summary>When the wait for an exited worker's last descriptors is over; null if there is none.</summary>
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

    /// <summary>Ends the waits whose time is over.</summary>
    public void PassDeadline()
    {
        foreach (var (_, again) in _lastWords.Values.Where(last => last.Until <= service.Loop.Now).ToArray())
        {
            again();
        }
    }

    /// <summary>Ends the wait for a worker whose exit has been handled.</summary>
    public void Forget(int workerId) => _lastWords.Remove(workerId);

    /// <summary>Descriptors of the daemon that stored descriptors may not use.</summary>
    private const int LeftByStored = 8 * DescriptorReserve.FromWorkers;

    /// <summary>How long to wait for an exited worker's last descriptors.</summary>
    private static readonly TimeSpan LastWordsWithin = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Handles the last messages of a worker that has exited. False if that is not finished: a sender has to be examined, or
    /// the worker's last descriptors are still being received, which its successor gets. Then <paramref name="again"/> is
    /// called when it may be finished, or after the time limit.
    /// </summary>
    public bool TakeLast(int workerId, WorkerProcess process, Action again)
    {
        process.Einhorn?.Drain();
        if (process.Notify is not { } notify)
        {
            return true;
        }

        var isOver = notify.Drain(again, out var unknown);
        if (unknown != 0)
        {
            process.Examinations++;
            service.Lineage.Identify(workerId, process, unknown, again);
            return false;
        }

        if (isOver || (_lastWords.TryGetValue(workerId, out var last) && last.Until <= service.Loop.Now))
        {
            _lastWords.Remove(workerId);
            return true;
        }

        _lastWords.TryAdd(workerId, (service.Loop.Now + LastWordsWithin, again));
        service.Schedule();
        return false;
    }

    /// <summary>Handles one message: first the worker's main process, then its status, and last what changes its state.</summary>
    public void Take(int workerId, WorkerProcess process, NotifyMessage message, int sender, IList<DescriptorHandle> descriptors)
    {
        foreach (var problem in message.Problems())
        {
            Ignore(process, sender, problem);
        }

        process.Status.Receive(message);
        if (message.IsBarrier)
        {
            // As in systemd, nothing else counts.
            return;
        }

        if (message.MainPid is { } main && main != process.Pid)
        {
            HandOver(workerId, process, main, message.MainPidfdId, sender);
        }

        if (service.Worker(workerId) is { } worker)
        {
            Store(worker, process, message, sender, descriptors);
            ResetRestarts(worker, message);
        }

        TakeStatus(process, message, sender);
        TakeState(workerId, process, message);
    }

    /// <summary>Handles a message of Einhorn's protocol like the message of the notify protocol with that meaning.</summary>
    public void Take(int workerId, WorkerProcess process, EinhornMessage message, int sender)
    {
        if (message is { IsAck: false, IsPing: false })
        {
            Refuse(process, sender, "einhorn command",
                $"EINHORN_SOCK_PATH: {Printable.Of(message.Command)} is not supported: use listenctl instead of einhornsh");
        }
        else if (message.Pid != sender && message.Pid != process.Pid && message.Pid != process.Session)
        {
            Refuse(process, sender, "einhorn pid", $"EINHORN_SOCK_PATH: {message.Command} does not name the worker's process id");
        }
        else
        {
            Take(workerId, process, message.IsAck ? NotifyMessage.Ready : NotifyMessage.Alive, sender, []);
        }
    }

    /// <summary>Notes and logs a rejected message.</summary>
    public void Refuse(WorkerProcess process, int sender, string kind, string reason)
    {
        process.Status.Rejected = string.Create(CultureInfo.InvariantCulture, $"a message of pid {sender}: {reason}");
        service.Log.MessageRefused(process, sender, kind, reason);
    }

    /// <summary>
    /// Why a worker that is not ready is not, as far as its messages show, with the remedy. Only for <c>ready = "notify"</c>.
    /// </summary>
    public string NotReady(WorkerState worker)
    {
        var status = service.Processes.GetValueOrDefault(worker.Id)?.Status;
        var received = status?.Received ?? [];
        var sent = received.Count == 0
            ? service.State.SpecOf(worker.Generation).Handoff == HandoffKind.Einhorn
                ? "it sent neither worker:ack to EINHORN_SOCK_PATH nor a message to NOTIFY_SOCKET"
                : "it sent no message to NOTIFY_SOCKET"
            : $"it sent {string.Join(", ", received.Select(field => Printable.Of(field)))}, but not READY=1";
        if (status?.Rejected is { } rejected)
        {
            return $"{sent}; rejected: {rejected}";
        }

        var accepts = service.Generations.Of(worker.Generation).Listeners.Any(listener => listener.Listens);
        return $"{sent}; if the program cannot send READY=1, set ready = \"{(accepts ? "accepting" : "started")}\"";
    }

    private void Ignore(WorkerProcess process, int sender, string problem)
    {
        process.Status.Rejected = problem;
        service.Log.FieldIgnored(process, sender, problem);
    }

    private void TakeStatus(WorkerProcess process, NotifyMessage message, int sender)
    {
        if (message.Access is { } access)
        {
            process.Status.Access = access;
        }

        if (message.Status is { } status)
        {
            process.Status.Message = status;
        }

        if (message.ErrnoText is not { } text)
        {
            return;
        }

        if ((message.Errno ?? ErrnoNames.Number(text)) is { } errno)
        {
            process.Status.Errno = errno;
        }
        else
        {
            Ignore(process, sender, $"ERRNO={Printable.Of(text)} is not an errno number or name");
        }
    }

    private void ResetRestarts(WorkerState worker, NotifyMessage message)
    {
        if (message.ResetsRestarts && worker.IsLive)
        {
            service.Log.RestartsReset(worker);
            service.Post(new WorkerRestartsReset(worker.Id));
        }
    }

    /// <summary>What changes the worker's state. STOPPING=1 wins over READY=1, and that over RELOADING=1.</summary>
    private void TakeState(int workerId, WorkerProcess process, NotifyMessage message)
    {

        if (message.Status is not null || message.Errno is not null || message.IsReloading || message.IsReady)
        {
            service.Note(isUrgent: false);
        }

        if (message.Extension is { } extension)
        {
            service.Post(new WorkerTimeoutExtended(workerId, extension));
        }

        if (message.WatchdogInterval is { } interval)
        {
            service.Post(new WorkerWatchdogSet(workerId, interval));
        }

        if (message.IsReady)
        {
            process.Status.IsReloading = false;
        }
        else if (message.IsReloading && !message.IsStopping)
        {
            process.Status.IsReloading = true;
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

    private void Store(
        WorkerState worker, WorkerProcess process, NotifyMessage message, int sender, IList<DescriptorHandle> descriptors)
    {
        if (message.RemovesDescriptors && message.DescriptorName is { } removed)
        {
            service.Stored.Remove(worker.Slot, removed);
            service.Note(isUrgent: true);
        }

        if (!message.StoresDescriptors)
        {
            return;
        }

        var handoff = service.State.SpecOf(worker.Generation).Handoff;
        if (!HandoffEnvironment.PassesStored(handoff))
        {
            Refuse(process, sender, "handoff",
                $"FDSTORE=1: handoff = \"{handoff.ToWireName()}\" cannot return descriptors; use handoff = \"listen-fds\"");
            return;
        }

        while (descriptors.Count > 0)
        {
            if (DescriptorReserve.IsReached(descriptors[0], LeftByStored))
            {
                Refuse(process, sender, "limit",
                    "FDSTORE=1: the daemon's last descriptors are reserved for its own use and for other services: "
                    + "raise LimitNOFILE= in its unit, or ulimit -n");
                return;
            }

            var name = message.DescriptorName ?? StoredName.Default;
            if (service.Stored.Store(worker.Slot, name, descriptors[0], message.KeepsHungUp) is { } refused)
            {
                Refuse(process, sender, "store", "FDSTORE=1: " + refused);
                return;
            }

            descriptors.RemoveAt(0);
            service.Note(isUrgent: true);
        }
    }

    /// <summary>
    /// MAINPID=: opens the pidfd first. A process that was examined before and still exists afterwards is therefore the same. With
    /// MAINPIDFDID= it must have that inode number, which identifies the process since Linux 6.9 (pidfs).
    /// </summary>
    private void HandOver(int workerId, WorkerProcess process, int pid, ulong? id, int sender)
    {
        var pidfd = Processes.OpenPidfd(pid, out _);
        if (pidfd is null || process.Knows(pid) != true)
        {
            pidfd?.Dispose();
            Refuse(process, sender, "mainpid", string.Create(
                CultureInfo.InvariantCulture, $"MAINPID={pid} is not {(pidfd is null ? "a process" : "a descendant of the worker")}"));
            return;
        }

        if (id is { } wanted && Processes.PidfdInode(pidfd) is { } inode && inode != wanted)
        {
            pidfd.Dispose();
            Refuse(process, sender, "mainpid", string.Create(
                CultureInfo.InvariantCulture,
                $"MAINPIDFDID={wanted} is another process than MAINPID={pid}, whose pidfd has inode {inode}"));
            return;
        }

        var before = process.Pid;
        service.Loop.Unwatch(process.Main.Pidfd);
        if (process.Main.First is not null)
        {
            service.Loop.Unwatch(process.Main.First);
        }

        process.Main.HandOver(pid, pidfd);
        service.Loop.Watch(process.Main.Pidfd, () => service.Ending.Ended(workerId, process));
        if (process.Main.First is { } first)
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
