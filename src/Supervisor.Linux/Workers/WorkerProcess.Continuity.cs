using Supervisor.Core.State;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Output;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>The process in the manifest.</summary>
public sealed partial class WorkerProcess
{
    /// <summary>Goes on with a predecessor's worker, of that user where it was an older version's. Takes over everything that it is given.</summary>
    internal WorkerProcess(WorkerEntry entry, DescriptorHandle pidfd, DescriptorHandle? first, NotifySocket notify, OutputPipe output, OutputPipe error, OrphanReaper? orphans, bool isChild, CgroupTree? cgroups, uint uid)
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
        _firstStartTime = entry.FirstStartTime;
        Uid = entry.Uid ?? uid;
        Token = entry.Token ?? "";
        _said = entry.Status;
        _errno = entry.Errno;
        _isReloading = entry.IsReloading;
        _orphans = orphans;
        Cgroup = entry.Cgroup is { } path ? new WorkerCgroup(cgroups, path) : null;
        if (!IsFirstReaped && isChild)
        {
            orphans?.Add(Session);
        }

        orphans?.Add(this);
    }

    /// <summary>The process for a successor, its descriptors among <paramref name="descriptors"/>.</summary>
    internal WorkerEntry Keep(string service, int id, OutgoingDescriptors? descriptors)
    {
        if (descriptors is not null)
        {
            // Asked for at each change of any worker.
            var keys = _keys ??= new Keys(
                DescriptorKey.Process(service, id), DescriptorKey.First(service, id), DescriptorKey.Notify(service, id), DescriptorKey.Output(service, id), DescriptorKey.Error(service, id));
            descriptors.Add(keys.Process, Pidfd);
            descriptors.Add(keys.First, First);
            descriptors.Add(keys.Notify, Notify.Descriptor);
            descriptors.Add(keys.Output, Output.Descriptor);
            descriptors.Add(keys.Error, Error.Descriptor);
        }

        return new WorkerEntry
        {
            Id = id,
            Pid = Pid,
            StartTime = StartTime,
            FirstStartTime = FirstStartTime,
            Uid = Uid,
            Token = Token,
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

    private Keys? _keys;
    private ulong _firstStartTime;
    private ulong? _startTime;
    private int _startTimeOf;

    /// <summary>Field 22 of the /proc/PID/stat of <see cref="Pid"/>, read once.</summary>
    internal ulong StartTime
    {
        get
        {
            if (_startTime is null || _startTimeOf != Pid)
            {
                _startTime = ProcFile.Read(Pid)?.StartTime ?? 0;
                _startTimeOf = Pid;
                if (Pid == Session)
                {
                    _firstStartTime = _startTime.Value;
                }
            }

            return _startTime.Value;
        }
    }

    /// <summary>The same of the spawned process; 0 where it was not read while that one was there.</summary>
    private ulong FirstStartTime
    {
        get
        {
            if (_firstStartTime == 0 && !IsHandedOver)
            {
                _ = StartTime;
            }

            return _firstStartTime;
        }
    }

    private sealed record Keys(string Process, string First, string Notify, string Output, string Error);
}
