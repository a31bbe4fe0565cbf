using System.Collections.Immutable;
using Supervisor.Core.Protocols;
using Supervisor.Core.Services;
using Supervisor.Core.State;
using Supervisor.Core.Workers;
using Supervisor.Linux.Cgroups;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Output;
using Supervisor.Linux.Probes;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>
/// A worker's process and the daemon's ends of what connects the two. Owns all of them.
/// </summary>
/// <remarks>
/// The spawned process leads the worker's session. It may name one of its descendants as the main process (MAINPID=), whose
/// exit is then the worker's. A daemon that forks twice does so after its first process has exited. Its main process is in a
/// session of its own and a child of listend: the cgroup identifies it, or else its user and its token.
/// </remarks>
public sealed class WorkerProcess : IDisposable
{
    private readonly OrphanReaper? _orphans;
    private int _mainSession;
    private (ChangingFacts Facts, WorkerEntry Entry)? _snapshot;
    private ulong _firstStartTime;
    private ulong? _startTime;
    private int _startTimeOf;

    internal WorkerProcess(int pid, DescriptorHandle pidfd, NotifySocket? notify, OutputPipe? output, OutputPipe error,
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
    /// A predecessor's worker; <paramref name="uid"/> is its user if an older version started it. Owns all its arguments.
    /// </summary>
    internal WorkerProcess(WorkerEntry entry, DescriptorHandle pidfd, DescriptorHandle? first, NotifySocket? notify, OutputPipe? output,
        OutputPipe error, OrphanReaper? orphans, bool isChild, Func<string, WorkerCgroup> adopt, uint uid)
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
        Rest.Restore(entry);
        _mainSession = entry.MainSession;
        _firstStartTime = entry.FirstStartTime;
        Uid = entry.Uid ?? uid;
        Token = entry.Token ?? "";
        Status = new WorkerStatus
        {
            Message = entry.Status,
            Errno = entry.Errno,
            IsReloading = entry.IsReloading,
            Access = entry.NotifyAccess,
        };
        _orphans = orphans;
        Cgroup = entry.Cgroup is { } path ? adopt(path) : null;
        Controllers = Cgroup is null ? CgroupController.None : entry.Controllers;
        Limits = entry.Limits;
        WantedLimits = entry.Limits;
        OomKills = entry.OomKills;
        if (!IsFirstReaped && isChild)
        {
            orphans?.Add(Session);
        }

        orphans?.Add(this);
    }

    /// <summary>The id of the main process: the spawned one, until another is named.</summary>
    public int Pid { get; private set; }

    /// <summary>The id of the spawned process, which is also the session's id.</summary>
    public int Session { get; }

    /// <summary>When it was spawned, by the wall clock.</summary>
    public DateTimeOffset StartedAt { get; }

    /// <summary>The listeners' sockets that it got; null if that is not known, and it may have all of them.</summary>
    public IReadOnlyList<Listeners.ListenerSocket>? Sockets { get; internal set; }

    /// <summary>
    /// If <see cref="Sockets"/> is not known: sockets that it cannot have, because they were being removed when it was spawned.
    /// </summary>
    internal IReadOnlyList<Listeners.ListenerSocket> Never { get; set; } = [];

    /// <summary>The cgroup of its own; null if it has none.</summary>
    public WorkerCgroup? Cgroup { get; internal init; }

    /// <summary>The controllers that its cgroup has had from the beginning.</summary>
    internal CgroupController Controllers { get; init; }

    /// <summary>The limits in force in its cgroup.</summary>
    public CgroupLimits Limits { get; internal set; } = new();

    /// <summary>The limits that were to be set last; null: not known.</summary>
    internal CgroupLimits? WantedLimits { get; set; }

    /// <summary>Why limits could not be set when it was spawned.</summary>
    internal IReadOnlyList<KeyValuePair<CgroupLimit, LimitRefusal>> RefusedLimits { get; init; } = [];

    /// <summary>How many of its processes the kernel has killed for lack of memory, as far as that was reported.</summary>
    internal long OomKills { get; set; }

    /// <summary>When it became ready.</summary>
    public DateTimeOffset? ReadyAt { get; internal set; }

    /// <summary>What it reports about itself.</summary>
    public WorkerStatus Status { get; } = new();

    /// <summary>The launch, until the program has been executed; null afterwards.</summary>
    internal PendingLaunch? Launch { get; set; }

    /// <summary>Why its program could not be executed; null unless that failed.</summary>
    internal string? LaunchFailure { get; set; }

    /// <summary>The readiness probe while it starts; null if there is none.</summary>
    internal ReadinessWatch? Watch { get; set; }

    /// <summary>The pipe on which it reports that it is ready; null if there is none, or it was read to its end.</summary>
    internal ReadyPipe? Ready { get; set; }

    /// <summary>The pidfd of <see cref="Pid"/>.</summary>
    internal DescriptorHandle Pidfd { get; private set; }

    /// <summary>The pidfd of the spawned process, if it is not the main process and has not been reaped.</summary>
    internal DescriptorHandle? First { get; private set; }

    /// <summary>Whether the main process is not the spawned one.</summary>
    internal bool IsHandedOver => Pid != Session;

    /// <summary>Whether the spawned process has exited, and no main process has been named.</summary>
    internal bool AwaitsMain { get; private set; }

    /// <summary>Its notify socket; null for the process of a connection, of which nothing is awaited.</summary>
    internal NotifySocket? Notify { get; }

    /// <summary>Einhorn's command socket for it; null if its hand-off is another one.</summary>
    internal EinhornSocket? Einhorn { get; set; }

    /// <summary>Its standard output; null if a connection is its standard output.</summary>
    internal OutputPipe? Output { get; }

    internal OutputPipe Error { get; }

    private bool IsFirstReaped { get; set; }

    /// <summary>Whether the session's id cannot be reused, because a process of the session has not been reaped.</summary>
    private bool IsSessionPinned => !IsFirstReaped || _mainSession == Session;

    /// <summary>The user id that it was started with.</summary>
    internal uint Uid { get; init; } = Processes.EffectiveUid;

    /// <summary>The token that only its processes got; empty if an older version started it without one.</summary>
    internal string Token { get; init; } = "";

    /// <summary>Its other processes.</summary>
    internal WorkerRest Rest { get; } = new();

    /// <summary>Why SIGKILL was not sent to one of its processes; null if it was, or was not tried.</summary>
    internal SystemCallError? KillRefusal { get; set; }

    /// <summary>The sweep that kills what remains; null until it begins.</summary>
    internal Sweep? LastSweep { get; set; }

    /// <summary>The same as <see cref="Roots"/> if others than the main process are known; null otherwise.</summary>
    public IReadOnlyList<int>? Others => Rest.Found.Count > 0 ? Roots : null;

    /// <summary>The known processes of the worker that live, each with its descendants.</summary>
    internal IReadOnlyList<int> Roots
    {
        get
        {
            var roots = Rest.Found.Select(one => one.Pid).ToList();
            if (!IsEnding && !AwaitsMain)
            {
                roots.Insert(0, Pid);
            }

            if (First is not null)
            {
                roots.Add(Session);
            }

            return roots;
        }
    }

    /// <summary>Whether its main process has exited, and its other processes are waited for or killed.</summary>
    internal bool IsEnding { get; private set; }

    /// <summary>How its main process has exited; null while it has not.</summary>
    internal ExitReason? Exit { get; private set; }

    /// <summary>Whether its exit waits for the examination of a sender.</summary>
    internal bool EndWaits { get; set; }

    /// <summary>Whether it had other processes when the spawned one had exited; null before that was checked.</summary>
    internal bool? HadOrphans { get; set; }

    /// <summary>Whether its orphans are being searched, and whether another search has to follow.</summary>
    internal (bool IsUnderWay, bool IsOutdated) OrphanSearch { get; set; }

    /// <summary>How many sender examinations its exit has waited for.</summary>
    internal int Examinations { get; set; }

    /// <summary>Whether a sender is being examined; until then no further message is read.</summary>
    internal bool IsExamining { get; set; }

    /// <summary>Results about processes that its next messages come from or name.</summary>
    internal ExaminedProcesses Examined { get; } = new();

    /// <summary>The facts that identify its processes.</summary>
    internal WorkerFacts Facts => FactsOf(StartTime, FirstStartTime);

    /// <summary>
    /// The same for a sweep. If nothing has needed the start time so far, the earliest possible one will do, which /proc need not tell:
    /// it decides only which other processes are too old to descend from this one.
    /// </summary>
    internal WorkerFacts SweepFacts => _startTime is null && Earliest > 0 ? FactsOf(0, Earliest) : Facts;

    /// <summary>A time at which it had not been started yet, in the unit of <see cref="StartTime"/>; 0: not known.</summary>
    internal ulong Earliest { get; init; }

    private WorkerFacts FactsOf(ulong startTime, ulong firstStartTime) => new()
    {
        Main = AwaitsMain ? 0 : Pid,
        MainStart = AwaitsMain ? 0 : startTime,
        First = IsFirstReaped ? 0 : Session,
        FirstStart = firstStartTime,
        Session = IsSessionPinned ? Session : 0,
        MainSession = _mainSession,
        Uid = Uid,
        Cgroup = Cgroup?.KernelPath,
        Token = Token,
        IsForeign = IsForeign,
    };

    /// <summary>
    /// Whether a process is the worker's, if one system call shows that: it is one of its known processes, or in its session.
    /// Null if it has to be examined (<see cref="LineageReader"/>), false if it does not exist.
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
            : Examined.Find(pid);
    }

    /// <summary>Why messages of that process are rejected, although it is the worker's (NOTIFYACCESS=); null if they are not.</summary>
    internal string? Denies(int pid) => Status.Access switch
    {
        NotifyAccess.None => "the worker has sent NOTIFYACCESS=none",
        NotifyAccess.Main when pid != Pid => $"the worker has sent NOTIFYACCESS=main, and its main process is pid {Pid}",
        _ => null,
    };

    /// <summary>Whether a process belongs to the worker. Pure.</summary>
    internal bool Owns(ProcessLineage process)
    {
        var facts = Facts;
        return Membership.IsMember(facts, process)
            || (_orphans?.IsOwn(process.Top.Pid) != true && Membership.IsMemberByToken(facts, process, process.Token));
    }

    /// <summary>Its main process has exited. Its other processes stay its own until it is disposed.</summary>
    internal void BeginEnd(ExitReason? reason) => (IsEnding, Exit) = (true, reason);

    /// <summary>Leaves its processes to the reaper of orphans: they do not exit after SIGKILL.</summary>
    internal void Abandon()
    {
        LastSweep?.IsCancelled = true;
        _orphans?.Remove(Session);
    }

    /// <summary>Makes that descendant the main process. Takes over <paramref name="pidfd"/>.</summary>
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

    /// <summary>Reaps the spawned process, if its exit is not the worker's.</summary>
    internal void ReapFirst()
    {
        Processes.Reap(First ?? Pidfd);
        IsFirstReaped = true;
        AwaitsMain = First is null;
        First?.Dispose();
        First = null;
        _orphans?.Remove(Session);
    }

    /// <summary>
    /// Reaps the main process; the remaining processes become orphans and are reaped as such. The process of a connection, which has no
    /// notify socket, has few descriptors: another thread would cost more than it saves.
    /// </summary>
    internal void Reap()
    {
        if (_orphans is { } orphans && Notify is not null && !IsForeign && !IsFirstReaped && !IsHandedOver)
        {
            IsFirstReaped = true;
            orphans.Reap(Session);
            return;
        }

        Processes.Reap(Pidfd);
        if (!IsFirstReaped)
        {
            IsFirstReaped = !IsHandedOver;
            _orphans?.Remove(Session);
        }
    }

    /// <summary>Sends SIGKILL to its known processes. Null, or the first error.</summary>
    internal SystemCallError? KillKnown()
    {
        SystemCallError? error = null;
        if (!AwaitsMain && !IsEnding)
        {
            error = SignalDelivery.Send(Pidfd, Pid, KernelAbi.SIGKILL);
        }

        return First is null ? error : error ?? SignalDelivery.Send(First, Session, KernelAbi.SIGKILL);
    }

    /// <summary>The process for a successor: the same object while nothing has changed.</summary>
    internal WorkerEntry Snapshot(int id)
    {
        var changing = new ChangingFacts(
            Pid, _mainSession, IsFirstReaped, AwaitsMain, IsHeldBack, ReadyAt, Status.Message, Status.Errno, Status.IsReloading, Sockets,
            Rest.Version, Limits, OomKills);
        if (_snapshot is { } last && last.Facts == changing
            && Output?.HasRest(last.Entry.OutputRest) != false && Error.HasRest(last.Entry.ErrorRest))
        {
            return last.Entry;
        }

        var entry = new WorkerEntry
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
            Rest = [.. Rest.Saved],
            IsRestTold = Rest.IsTold,
            StartedAt = StartedAt,
            ReadyAt = ReadyAt,
            Status = Status.Message,
            Errno = Status.Errno,
            IsReloading = Status.IsReloading,
            NotifyAccess = Status.Access,
            Sockets = Sockets is null ? null : [.. Sockets.Select(socket => socket.Inode)],
            Cgroup = Cgroup?.Path,
            Controllers = Controllers,
            Limits = Limits,
            OomKills = OomKills,
            NotifyPath = Notify?.Path ?? "",
            OutputRest = Output?.Rest,
            ErrorRest = Error.Rest,
        };
        _snapshot = (changing, entry);
        return entry;
    }

    /// <summary>Adds the descriptors for a successor, which this object keeps.</summary>
    internal void AddDescriptors(string service, int id, OutgoingDescriptors descriptors)
    {
        descriptors.Add(DescriptorKey.Process(service, id), Pidfd);
        descriptors.Add(DescriptorKey.First(service, id), First);
        descriptors.Add(DescriptorKey.Notify(service, id), Notify?.Descriptor);
        descriptors.Add(DescriptorKey.Output(service, id), Output?.Descriptor);
        descriptors.Add(DescriptorKey.Error(service, id), Error.Descriptor);
        descriptors.Add(DescriptorKey.Ready(service, id), Ready?.Descriptor);
        foreach (var (key, socket) in Einhorn?.Descriptors(service, id) ?? [])
        {
            descriptors.Add(key, socket);
        }
    }

    /// <summary>Whether its stop signal is sent later.</summary>
    internal bool IsHeldBack { get; set; }

    /// <summary>Whether it is the child of a daemon that has died, so that only init can reap it.</summary>
    internal bool IsForeign { get; }

    /// <summary>
    /// If <see cref="IsForeign"/>: its parent, which also gets the children of its exited processes; 0 if that is not known.
    /// </summary>
    internal int Reaper { get; private set; }

    /// <summary>Field 22 of the /proc/PID/stat of <see cref="Pid"/>, read once.</summary>
    internal ulong StartTime
    {
        get
        {
            if (_startTime is null || _startTimeOf != Pid)
            {
                var process = ProcFile.Read(Pid);
                _startTime = process?.StartTime ?? 0;
                _startTimeOf = Pid;
                Reaper = IsForeign && !IsHandedOver ? process?.ParentPid ?? 0 : Reaper;
                if (Pid == Session)
                {
                    _firstStartTime = _startTime.Value;
                }
            }

            return _startTime.Value;
        }
    }

    /// <summary>The same for the spawned process; 0 if it was not read in time.</summary>
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
        Ready?.Dispose();
        Launch?.Dispose();
        Examined.Clear();
        Output?.Dispose();
        Error.Dispose();
        Notify?.Dispose();
        Einhorn?.Dispose();
        Pidfd.Dispose();
        First?.Dispose();
        Cgroup?.Dispose();
    }

    /// <summary>
    /// The sessions that are certainly its own. Init reaps the child of an earlier daemon, and another session may have its
    /// number by now.
    /// </summary>
    internal ImmutableArray<int> Sessions()
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

    /// <summary>What can change in an entry, apart from unfinished lines.</summary>
    private readonly record struct ChangingFacts(
        int Pid, int MainSession, bool IsFirstReaped, bool AwaitsMain, bool IsHeldBack, DateTimeOffset? ReadyAt, string? Status, int Errno,
        bool IsReloading, IReadOnlyList<Listeners.ListenerSocket>? Sockets, int RestVersion, CgroupLimits Limits, long OomKills);
}
