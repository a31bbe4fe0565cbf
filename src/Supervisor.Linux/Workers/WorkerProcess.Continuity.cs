using Supervisor.Core.Continuity;
using Supervisor.Linux.Continuity;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>The process in the manifest.</summary>
public sealed partial class WorkerProcess
{
    /// <summary>Goes on with a predecessor's worker. Takes over everything that it is given.</summary>
    internal WorkerProcess(WorkerEntry entry, DescriptorHandle pidfd, DescriptorHandle? first, NotifySocket notify, OutputPipe output, OutputPipe error, OrphanReaper? orphans, bool isChild, CgroupTree? cgroups)
    {
        IsForeign = !isChild;
        IsHeldBack = entry.IsHeldBack;
        Pid = entry.Pid;
        Session = entry.Session;
        Pidfd = pidfd;
        First = first;
        Notify = notify;
        Output = output;
        Error = error;
        StartedAt = entry.StartedAt;
        ReadyAt = entry.ReadyAt;
        AwaitsMain = entry.AwaitsMain;
        IsFirstReaped = entry.IsFirstReaped;
        _mainSession = entry.MainSession;
        _said = entry.Status;
        _errno = entry.Errno;
        _isReloading = entry.IsReloading;
        _orphans = orphans;
        Cgroup = entry.Cgroup is { } path ? new WorkerCgroup(cgroups, path) : null;
        if (!IsFirstReaped && isChild)
        {
            orphans?.Add(Session);
        }
    }

    /// <summary>The process for a successor, its descriptors among <paramref name="descriptors"/>.</summary>
    internal WorkerEntry Keep(string service, int id, OutgoingDescriptors? descriptors)
    {
        descriptors?.Add(DescriptorKey.Process(service, id), Pidfd);
        descriptors?.Add(DescriptorKey.First(service, id), First);
        descriptors?.Add(DescriptorKey.Notify(service, id), Notify.Descriptor);
        descriptors?.Add(DescriptorKey.Output(service, id), Output.Descriptor);
        descriptors?.Add(DescriptorKey.Error(service, id), Error.Descriptor);
        return new WorkerEntry
        {
            Id = id,
            Pid = Pid,
            StartTime = StartTime,
            Session = Session,
            MainSession = _mainSession,
            IsFirstReaped = IsFirstReaped,
            AwaitsMain = AwaitsMain,
            IsForeign = IsForeign,
            IsHeldBack = IsHeldBack,
            StartedAt = StartedAt,
            ReadyAt = ReadyAt,
            Status = _said,
            Errno = _errno,
            IsReloading = _isReloading,
            Sockets = Sockets is null ? null : [.. Sockets.Select(socket => socket.Inode)],
            Cgroup = Cgroup?.Path,
            NotifyPath = Notify.Path,
            OutputRest = Output.Rest,
            ErrorRest = Error.Rest,
        };
    }

    /// <summary>Whether it is to get its stop signal later.</summary>
    internal bool IsHeldBack { get; set; }

    /// <summary>Whether it is another daemon's child, which has died: nobody here can reap it.</summary>
    internal bool IsForeign { get; }

    /// <summary>Where it is no child of ours, its session's number may be another's by the time that it has ended: whoever carries its notify socket's path is of it.</summary>
    private IEnumerable<int> ForeignMembers() => ProcFile.All().Where(pid => pid != Pid && ProcFile.HasVariable(pid, "NOTIFY_SOCKET", Notify.Path));

    private ulong? _startTime;
    private int _startTimeOf;

    /// <summary>Field 22 of the /proc/PID/stat of <see cref="Pid"/>, read once.</summary>
    private ulong StartTime
    {
        get
        {
            if (_startTime is null || _startTimeOf != Pid)
            {
                _startTime = ProcFile.Read(Pid)?.StartTime ?? 0;
                _startTimeOf = Pid;
            }

            return _startTime.Value;
        }
    }
}
