using System.Collections.Immutable;
using Supervisor.Core.State;
using Supervisor.Core.Workers;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Output;
using Supervisor.Linux.Probes;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>
/// A worker's process and the daemon's ends of what connects the two. Owns all of them.
/// </summary>
/// <remarks>
/// The process that was spawned leads the worker's session. It may name another one of its descendants (MAINPID=), whose
/// end is then the worker's; so may a daemon that has forked twice, whose first process is gone by then. Such a process is in
/// a session of its own and a child of ours: its cgroup tells whose it is, and without one its user and its token.
/// </remarks>
public sealed class WorkerProcess : IDisposable
{
    private readonly OrphanReaper? _orphans;
    private int _mainSession;
    private string? _said;
    private int _errno;
    private bool _isReloading;
    private Keys? _keys;
    private ulong _firstStartTime;
    private ulong? _startTime;
    private int _startTimeOf;

    internal WorkerProcess(int pid, DescriptorHandle pidfd, NotifySocket notify, OutputPipe output, OutputPipe error,
        DateTimeOffset startedAt, OrphanReaper? orphans = null)
    {
        Pid = Session = pid;
        Pidfd = pidfd;
        Notify = notify;
        Output = output;
        Error = error;
        StartedAt = startedAt;
        _orphans = orphans;
        orphans?.Add(pid);
        orphans?.Add(this);
    }

    /// <summary>
    /// A predecessor's worker; <paramref name="uid"/> is its user if an older version started it. Owns everything that
    /// it is given.
    /// </summary>
    internal WorkerProcess(WorkerEntry entry, DescriptorHandle pidfd, DescriptorHandle? first, NotifySocket notify, OutputPipe output,
        OutputPipe error, OrphanReaper? orphans, bool isChild, CgroupTree? cgroups, uint uid)
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

    /// <summary>The process that counts: the spawned one, until another is named.</summary>
    public int Pid { get; private set; }

    /// <summary>The process that was spawned, whose id is the session's too.</summary>
    public int Session { get; }

    /// <summary>When it was spawned, by the wall clock.</summary>
    public DateTimeOffset StartedAt { get; }

    /// <summary>The listeners' sockets that it was given; null where that is not known, and may be all of them.</summary>
    public IReadOnlyList<Listeners.ListenerSocket>? Sockets { get; internal set; }

    /// <summary>
    /// Where <see cref="Sockets"/> is not known: those that it cannot have, since they were on their way out when it
    /// was spawned.
    /// </summary>
    internal IReadOnlyList<Listeners.ListenerSocket> Never { get; set; } = [];

    /// <summary>The cgroup of its own; null where it has none.</summary>
    public WorkerCgroup? Cgroup { get; internal init; }

    /// <summary>When it got ready.</summary>
    public DateTimeOffset? ReadyAt { get; internal set; }

    /// <summary>Its last STATUS=, with what else it says of itself: that it reloads, that something failed.</summary>
    public string? StatusText
    {
        get
        {
            var parts = new List<string>(3);
            if (_isReloading)
            {
                parts.Add("reloading");
            }

            if (!string.IsNullOrEmpty(_said))
            {
                parts.Add(_said);
            }

            if (ErrnoText is { } errno)
            {
                parts.Add(errno);
            }

            return parts.Count == 0 ? null : string.Join(": ", parts);
        }
    }

    /// <summary>Its last ERRNO=, for people; null where it said none, or 0.</summary>
    public string? ErrnoText => _errno == 0 ? null : $"{new SystemCallError("", _errno).Name} ({new SystemCallError("", _errno).Text})";

    /// <summary>Its way to its program; null once it has arrived.</summary>
    internal PendingLaunch? Launch { get; set; }

    /// <summary>Why its program could not be executed; null unless that failed.</summary>
    internal string? LaunchFailure { get; set; }

    /// <summary>What looks at it from outside while it starts; null where nothing does.</summary>
    internal ReadinessWatch? Watch { get; set; }

    /// <summary>The pidfd of <see cref="Pid"/>.</summary>
    internal DescriptorHandle Pidfd { get; private set; }

    /// <summary>The pidfd of the spawned process while it is not the one that counts and has not been reaped.</summary>
    internal DescriptorHandle? First { get; private set; }

    /// <summary>Whether another process than the spawned one counts.</summary>
    internal bool IsHandedOver => Pid != Session;

    /// <summary>Whether the spawned process is gone, and the one that will count has not been named.</summary>
    internal bool AwaitsMain { get; private set; }

    internal NotifySocket Notify { get; }

    internal OutputPipe Output { get; }

    internal OutputPipe Error { get; }

    private bool IsFirstReaped { get; set; }

    /// <summary>Whether the session's id cannot be another session's, because a process of it has not been reaped.</summary>
    private bool IsSessionPinned => !IsFirstReaped || _mainSession == Session;

    /// <summary>STATUS=.</summary>
    internal void Say(string status) => _said = status;

    /// <summary>ERRNO=; 0: nothing any more.</summary>
    internal void SayErrno(int errno) => _errno = errno;

    /// <summary>RELOADING=1, until READY=1.</summary>
    internal void SayReloading(bool isReloading) => _isReloading = isReloading;

    /// <summary>The user id that it was started with.</summary>
    internal uint Uid { get; init; } = Processes.EffectiveUid;

    /// <summary>The token that only its processes were given; empty where an older version started it without one.</summary>
    internal string Token { get; init; } = "";

    /// <summary>Whether its end has been seen and what it left is being killed.</summary>
    internal bool IsEnding { get; private set; }

    /// <summary>Whether its end waits for a look at who sent a message.</summary>
    internal bool EndWaits { get; set; }

    /// <summary>Whether processes of it were there when the spawned one had exited; null before that was checked.</summary>
    internal bool? HadOrphans { get; set; }

    /// <summary>Whether its orphans are being looked for, and whether that has to be done again.</summary>
    internal (bool IsUnderWay, bool IsOutdated) OrphanLook { get; set; }

    /// <summary>Looks at senders that its end has waited for.</summary>
    internal int LastLooks { get; set; }

    /// <summary>Whether a sender is being looked at, until which no more of its messages are taken.</summary>
    internal bool IsLooking { get; set; }

    /// <summary>
    /// What was found out about processes that its next message speaks of: their start time, and whether they are the
    /// worker's.
    /// </summary>
    internal Dictionary<int, (ulong StartTime, bool IsOurs)> Known { get; } = [];

    /// <summary>What its processes are known by.</summary>
    internal WorkerFacts Facts => new()
    {
        Main = AwaitsMain ? 0 : Pid,
        MainStart = AwaitsMain ? 0 : StartTime,
        First = IsFirstReaped ? 0 : Session,
        FirstStart = FirstStartTime,
        Session = IsSessionPinned ? Session : 0,
        MainSession = _mainSession,
        Uid = Uid,
        Cgroup = Cgroup?.KernelPath,
        Token = Token,
        IsForeign = IsForeign,
    };

    /// <summary>
    /// Whether a process is the worker's, where that can be told by one call: it is one of its processes, or of a session whose
    /// number is its own. Null where it has to be looked at (<see cref="LineageReader"/>), false where there is none.
    /// </summary>
    internal bool? Knows(int pid)
    {
        if ((pid == Session && !IsFirstReaped) || (pid == Pid && !AwaitsMain))
        {
            return true;
        }

        var session = pid <= 0 ? -1 : Processes.SessionOf(pid);
        return session < 0 ? false
            : (session == Session && IsSessionPinned && !IsForeign) || (session == _mainSession && _mainSession != 0) ? true
            : Known.TryGetValue(pid, out var known) ? known.IsOurs : null;
    }

    /// <summary>Whether a process belongs to the worker. Pure.</summary>
    internal bool Owns(ProcessLineage process)
    {
        var facts = Facts;
        return Membership.IsMember(facts, process)
            || (_orphans?.IsOwn(process.Top.Pid) != true && Membership.IsMemberByToken(facts, process, process.Token));
    }

    /// <summary>Its end has been seen: nothing that it left is claimed by it any more.</summary>
    internal void BeginEnd()
    {
        IsEnding = true;
        _orphans?.Remove(this);
    }

    /// <summary>From now on that descendant counts. Takes over <paramref name="pidfd"/>.</summary>
    internal void HandOver(int pid, DescriptorHandle pidfd)
    {
        if (pid == Session && First is not null)
        {
            Pidfd.Dispose();
            pidfd.Dispose();
            (Pidfd, First) = (First, null);
        }
        else if (!IsHandedOver && !IsFirstReaped)
        {
            (First, Pidfd) = (Pidfd, pidfd);
        }
        else
        {
            Pidfd.Dispose();
            Pidfd = pidfd;
        }

        Pid = pid;
        AwaitsMain = false;
        _mainSession = ProcFile.Read(pid)?.SessionId ?? 0;
    }

    /// <summary>Reaps the spawned process, which has ended and is not the end of the worker.</summary>
    internal void ReapFirst()
    {
        Processes.Reap(First ?? Pidfd);
        IsFirstReaped = true;
        AwaitsMain = First is null;
        First?.Dispose();
        First = null;
        _orphans?.Remove(Session);
    }

    /// <summary>Reaps the process that counted; who else is left becomes an orphan, and is reaped as one.</summary>
    internal void Reap()
    {
        Processes.Reap(Pidfd);
        if (!IsFirstReaped)
        {
            IsFirstReaped = !IsHandedOver;
            _orphans?.Remove(Session);
        }
    }

    /// <summary>SIGKILL to its processes that are known by their pidfds.</summary>
    internal void KillKnown()
    {
        if (!AwaitsMain)
        {
            Processes.Signal(Pidfd, 9);
        }

        if (First is not null)
        {
            Processes.Signal(First, 9);
        }
    }

    /// <summary>
    /// What else of it is to be killed: whatever is left of its cgroup, or of its sessions, as long as their numbers
    /// are its own.
    /// </summary>
    internal Sweep Rest(Action<bool>? onDone = null) => new()
    {
        Cgroup = Cgroup?.Path,
        Sessions = Sessions(),
        Leaders = [Session, Pid],
        OnDone = onDone,
    };

    /// <summary>The same when it has ended, with what left its sessions.</summary>
    internal Sweep Rest(bool isLast, IReadOnlyDictionary<ulong, string> listeners, Action<int, string?, string?, bool> onStray,
        Action<bool> onDone) => new()
    {
        Cgroup = Cgroup?.Path,
        Sessions = Sessions(),
        Leaders = [Session, Pid],
        Worker = Facts,
        IsLast = isLast,
        Listeners = listeners,
        OnStray = onStray,
        OnDone = onDone,
    };

    /// <summary>The process for a successor, its descriptors among <paramref name="descriptors"/>.</summary>
    internal WorkerEntry Snapshot(string service, int id, OutgoingDescriptors? descriptors)
    {
        if (descriptors is not null)
        {
            // Asked for at each change of any worker.
            var keys = _keys ??= new Keys(
                DescriptorKey.Process(service, id), DescriptorKey.First(service, id), DescriptorKey.Notify(service, id),
                    DescriptorKey.Output(service, id), DescriptorKey.Error(service, id));
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

    /// <summary>Whether it is the child of a daemon that has died, so that only init can reap it.</summary>
    internal bool IsForeign { get; }

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

    /// <inheritdoc/>
    public void Dispose()
    {
        _orphans?.Remove(this);
        Watch?.Dispose();
        Launch?.Dispose();
        Output.Dispose();
        Error.Dispose();
        Notify.Dispose();
        Pidfd.Dispose();
        First?.Dispose();
        Cgroup?.Dispose();
    }

    /// <summary>
    /// The sessions that are its own alone. An earlier daemon's child is reaped by init, and its session's number may
    /// be another one's by now.
    /// </summary>
    private ImmutableArray<int> Sessions()
    {
        var sessions = ImmutableArray.CreateBuilder<int>(2);
        if (IsSessionPinned && !IsForeign)
        {
            sessions.Add(Session);
        }

        if (_mainSession != 0 && _mainSession != Session && !IsForeign)
        {
            sessions.Add(_mainSession);
        }

        return sessions.ToImmutable();
    }

    private sealed record Keys(string Process, string First, string Notify, string Output, string Error);
}
