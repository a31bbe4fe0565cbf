using Supervisor.Linux.Probes;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>
/// A worker's process and the daemon's ends of what connects the two. Owns all of them.
/// </summary>
/// <remarks>
/// The process that was spawned leads the worker's session. It may name another one of its descendants (MAINPID=), whose
/// end is then the worker's; so may a daemon that has forked twice, whose first process is gone by then. Such a one is in
/// a session of its own and a child of ours, and what tells whose it is is the NOTIFY_SOCKET that it was executed with.
/// </remarks>
public sealed partial class WorkerProcess : IDisposable
{
    private readonly OrphanReaper? _orphans;
    private int _mainSession;
    private string? _said;
    private int _errno;
    private bool _isReloading;

    internal WorkerProcess(int pid, DescriptorHandle pidfd, NotifySocket notify, OutputPipe output, OutputPipe error, DateTimeOffset startedAt, OrphanReaper? orphans = null)
    {
        Pid = Session = pid;
        Pidfd = pidfd;
        Notify = notify;
        Output = output;
        Error = error;
        StartedAt = startedAt;
        _orphans = orphans;
        orphans?.Add(pid);
    }

    /// <summary>The process that counts: the spawned one, until another is named.</summary>
    public int Pid { get; private set; }

    /// <summary>The process that was spawned, whose id is the session's too.</summary>
    public int Session { get; }

    /// <summary>When it was spawned, by the wall clock.</summary>
    public DateTimeOffset StartedAt { get; }

    /// <summary>The listeners' sockets that it was given; null where that is not known, and may be all of them.</summary>
    public IReadOnlyList<Listeners.ListenerSocket>? Sockets { get; internal set; }

    /// <summary>Where <see cref="Sockets"/> is not known: those that it cannot have, since they were on their way out when it was spawned.</summary>
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

    /// <summary>Whether the session's id cannot be anybody else's: somebody of it is not reaped.</summary>
    private bool IsSessionPinned => !IsFirstReaped || _mainSession == Session;

    /// <summary>STATUS=.</summary>
    internal void Say(string status) => _said = status;

    /// <summary>ERRNO=; 0: nothing any more.</summary>
    internal void SayErrno(int errno) => _errno = errno;

    /// <summary>RELOADING=1, until READY=1.</summary>
    internal void SayReloading(bool isReloading) => _isReloading = isReloading;

    /// <summary>Whether <paramref name="pid"/> is of the worker: one of its processes, of their sessions, or below them.</summary>
    internal bool Owns(int pid)
    {
        for (var depth = 0; depth < 64 && pid > 1; depth++)
        {
            if ((pid == Session && !IsFirstReaped) || (pid == Pid && !AwaitsMain))
            {
                return true;
            }

            if (ProcFile.Read(pid) is not { } process)
            {
                return false;
            }

            if (IsOfSession(process))
            {
                return true;
            }

            if (process.ParentPid == Processes.CurrentPid)
            {
                return IsOrphan(pid);
            }

            pid = process.ParentPid;
        }

        return false;
    }

    /// <summary>Whether anybody of the worker is left whose parent is gone.</summary>
    internal bool HasOrphans() => ProcFile.All().Any(pid =>
        pid != Session && ProcFile.Read(pid) is { } process && process.ParentPid == Processes.CurrentPid && (IsOfSession(process) || IsOrphan(pid)));

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

    /// <summary>
    /// Who is left of the worker in a session of its own, now that its parent is gone: where there is no cgroup to know it by,
    /// by the notify socket in its environment.
    /// </summary>
    internal IEnumerable<int> Strays() => Cgroup is null && !IsForeign ? ProcFile.OwnChildren().Where(IsOrphan) : [];

    /// <summary>SIGKILL to the process and to whatever is left of its cgroup, or of its session.</summary>
    internal void KillSession()
    {
        if (!AwaitsMain)
        {
            Processes.Signal(Pidfd, 9);
        }

        if (First is not null)
        {
            Processes.Signal(First, 9);
        }

        if (Cgroup?.TryKill() == true)
        {
            return;
        }

        if (IsForeign)
        {
            Sweep.Kill(ForeignMembers);
            return;
        }

        if (IsSessionPinned)
        {
            Processes.Kill(-Session, 9);
        }

        Sweep.Kill(Members);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Watch?.Dispose();
        Launch?.Dispose();
        Output.Dispose();
        Error.Dispose();
        Notify.Dispose();
        Pidfd.Dispose();
        First?.Dispose();
        Cgroup?.Dispose();
    }

    private IEnumerable<int> Members() => !IsHandedOver && !IsFirstReaped
        ? ProcFile.MembersOf(Session)
        : ProcFile.All().Where(pid => ProcFile.Read(pid) is { } process
            && (IsOfSession(process) || (process.ParentPid == Processes.CurrentPid && IsOrphan(pid))));

    private bool IsOfSession(ProcFile process) =>
        (process.SessionId == Session && IsSessionPinned) || (process.SessionId == _mainSession && _mainSession != 0);

    private bool IsOrphan(int pid) => _orphans?.IsOwn(pid) != true && ProcFile.HasVariable(pid, "NOTIFY_SOCKET", Notify.Path);
}
