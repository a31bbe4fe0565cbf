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
public sealed class WorkerProcess : IDisposable
{
    private readonly OrphanReaper? _orphans;
    private (ChangingFacts Facts, WorkerEntry Entry)? _snapshot;

    /// <summary>
    /// A process that was just spawned; <paramref name="earliest"/> is <see cref="MainProcess.Earliest"/>. Owns all its arguments.
    /// </summary>
    internal WorkerProcess(int pid, DescriptorHandle pidfd, NotifySocket? notify, OutputPipe? output, OutputPipe error,
        DateTimeOffset startedAt, OrphanReaper? orphans = null, ulong earliest = 0)
    {
        Main = new MainProcess(pid, pidfd, orphans) { Earliest = earliest };
        Notify = notify;
        Output = output;
        Error = error;
        StartedAt = startedAt;
        _orphans = orphans;
        orphans?.Add(this);
    }

    /// <summary>
    /// A predecessor's worker; <paramref name="uid"/> is its user if an older version started it. Owns all its arguments.
    /// </summary>
    internal WorkerProcess(WorkerEntry entry, DescriptorHandle pidfd, DescriptorHandle? first, NotifySocket? notify, OutputPipe? output,
        OutputPipe error, OrphanReaper? orphans, bool isChild, Func<string, WorkerCgroup> adopt, uint uid)
    {
        Main = new MainProcess(entry, pidfd, first, orphans, isChild);
        IsHeldBack = entry.IsHeldBack;
        Notify = notify;
        Output = output;
        Error = error;
        StartedAt = entry.StartedAt;
        ReadyAt = entry.ReadyAt;
        Rest.Restore(entry);
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
        orphans?.Add(this);
    }

    /// <summary>Its spawned process, and its main process if that is another one.</summary>
    internal MainProcess Main { get; }

    /// <inheritdoc cref="MainProcess.Pid"/>
    public int Pid => Main.Pid;

    /// <inheritdoc cref="MainProcess.Session"/>
    public int Session => Main.Session;

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

    /// <summary>Its notify socket; null for the process of a connection, of which nothing is awaited.</summary>
    internal NotifySocket? Notify { get; }

    /// <summary>Einhorn's command socket for it; null if its hand-off is another one.</summary>
    internal EinhornSocket? Einhorn { get; set; }

    /// <summary>Its standard output; null if a connection is its standard output.</summary>
    internal OutputPipe? Output { get; }

    internal OutputPipe Error { get; }

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
            if (!IsEnding && !Main.AwaitsMain)
            {
                roots.Insert(0, Pid);
            }

            if (Main.First is not null)
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
    internal WorkerFacts Facts => FactsOf(Main.StartTime, Main.FirstStartTime);

    /// <summary>
    /// The same for a sweep. If nothing has needed the start time so far, the earliest possible one will do, which /proc need not tell:
    /// it decides only which other processes are too old to descend from this one.
    /// </summary>
    internal WorkerFacts SweepFacts => !Main.IsStartTimeRead && Main.Earliest > 0 ? FactsOf(0, Main.Earliest) : Facts;

    private WorkerFacts FactsOf(ulong startTime, ulong firstStartTime) => new()
    {
        Main = Main.AwaitsMain ? 0 : Pid,
        MainStart = Main.AwaitsMain ? 0 : startTime,
        First = Main.IsFirstReaped ? 0 : Session,
        FirstStart = firstStartTime,
        Session = Main.IsSessionPinned ? Session : 0,
        MainSession = Main.NamedSession,
        Uid = Uid,
        Cgroup = Cgroup?.KernelPath,
        Token = Token,
        IsForeign = Main.IsForeign,
    };

    /// <summary>
    /// Whether a process is the worker's, if one system call shows that: it is one of its known processes, or in its session.
    /// Null if it has to be examined (<see cref="LineageReader"/>), false if it does not exist.
    /// </summary>
    internal bool? Knows(int pid) => Main.Knows(pid) ?? Examined.Find(pid);

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
        Main.Abandon();
    }

    /// <summary>
    /// Reaps the main process; the remaining processes become orphans and are reaped as such. The process of a connection, which has no
    /// notify socket, has few descriptors: another thread would cost more than it saves.
    /// </summary>
    internal void Reap() => Main.Reap(isLater: Notify is not null);

    /// <summary>Sends SIGKILL to its known processes. Null, or the first error.</summary>
    internal SystemCallError? KillKnown() => Main.Kill(hasExited: IsEnding);

    /// <summary>The process for a successor: the same object while nothing has changed.</summary>
    internal WorkerEntry Snapshot(int id)
    {
        var changing = new ChangingFacts(
            Pid, Main.NamedSession, Main.IsFirstReaped, Main.AwaitsMain, IsHeldBack, ReadyAt,
            Status.Message, Status.Errno, Status.IsReloading, Sockets, Rest.Version, Limits, OomKills);
        if (_snapshot is { } last && last.Facts == changing
            && Output?.HasRest(last.Entry.OutputRest) != false && Error.HasRest(last.Entry.ErrorRest))
        {
            return last.Entry;
        }

        var entry = new WorkerEntry
        {
            Id = id,
            Pid = Pid,
            StartTime = Main.StartTime,
            FirstStartTime = Main.FirstStartTime,
            Uid = Uid,
            Token = Token,
            Session = Session,
            MainSession = Main.NamedSession,
            IsFirstReaped = Main.IsFirstReaped,
            AwaitsMain = Main.AwaitsMain,
            IsForeign = Main.IsForeign,
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
        descriptors.Add(DescriptorKey.Process(service, id), Main.Pidfd);
        descriptors.Add(DescriptorKey.First(service, id), Main.First);
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
        Main.Dispose();
        Cgroup?.Dispose();
    }

    /// <summary>What can change in an entry, apart from unfinished lines.</summary>
    private readonly record struct ChangingFacts(
        int Pid, int MainSession, bool IsFirstReaped, bool AwaitsMain, bool IsHeldBack, DateTimeOffset? ReadyAt, string? Status, int Errno,
        bool IsReloading, IReadOnlyList<Listeners.ListenerSocket>? Sockets, int RestVersion, CgroupLimits Limits, long OomKills);
}
