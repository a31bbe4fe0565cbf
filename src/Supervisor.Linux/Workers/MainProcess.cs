using System.Collections.Immutable;
using Supervisor.Core.State;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>A worker's spawned process, and its main process if that is another one. Owns the pidfds of both.</summary>
/// <remarks>
/// The spawned process leads the worker's session. It may name one of its descendants as the main process (MAINPID=), whose
/// exit is then the worker's. A daemon that forks twice does so after its first process has exited. Its main process is in a
/// session of its own and a child of listend: the cgroup identifies it, or else its user and its token.
/// </remarks>
internal sealed class MainProcess : IDisposable
{
    private readonly OrphanReaper? _orphans;
    private ulong _firstStartTime;
    private ulong? _startTime;
    private int _startTimeOf;

    /// <summary>A spawned process. Takes over <paramref name="pidfd"/>.</summary>
    public MainProcess(int pid, DescriptorHandle pidfd, OrphanReaper? orphans)
    {
        Pid = Session = pid;
        Pidfd = pidfd;
        _orphans = orphans;
        orphans?.Add(pid);
    }

    /// <summary>
    /// The processes of a predecessor's worker. Takes over both pidfds; <paramref name="first"/> is that of the spawned process, if
    /// another one is the main process.
    /// </summary>
    public MainProcess(WorkerEntry entry, DescriptorHandle pidfd, DescriptorHandle? first, OrphanReaper? orphans, bool isChild)
    {
        IsForeign = !isChild;
        Pid = entry.Pid;
        Session = entry.Session;
        Pidfd = pidfd;
        First = first;
        AwaitsMain = entry.AwaitsMain;
        IsFirstReaped = entry.IsFirstReaped;
        NamedSession = entry.MainSession;
        _firstStartTime = entry.FirstStartTime;
        _orphans = orphans;
        if (!IsFirstReaped && isChild)
        {
            orphans?.Add(Session);
        }
    }

    /// <summary>The id of the main process: the spawned one, until another is named.</summary>
    public int Pid { get; private set; }

    /// <summary>The id of the spawned process, which is also the session's id.</summary>
    public int Session { get; }

    /// <summary>The session of a main process that was named; 0 if none was.</summary>
    public int NamedSession { get; private set; }

    /// <summary>The pidfd of <see cref="Pid"/>.</summary>
    public DescriptorHandle Pidfd { get; private set; }

    /// <summary>The pidfd of the spawned process, if it is not the main process and has not been reaped.</summary>
    public DescriptorHandle? First { get; private set; }

    /// <summary>Whether the main process is not the spawned one.</summary>
    public bool IsHandedOver => Pid != Session;

    /// <summary>Whether the spawned process has exited, and no main process has been named.</summary>
    public bool AwaitsMain { get; private set; }

    /// <summary>Whether the spawned process has been reaped.</summary>
    public bool IsFirstReaped { get; private set; }

    /// <summary>Whether it is the child of a daemon that has died, so that only init can reap it.</summary>
    public bool IsForeign { get; }

    /// <summary>
    /// If <see cref="IsForeign"/>: its parent, which also gets the children of its exited processes; 0 if that is not known.
    /// </summary>
    public int Reaper { get; private set; }

    /// <summary>A time at which it had not been started yet, in the unit of <see cref="StartTime"/>; 0: not known.</summary>
    public ulong Earliest { get; init; }

    /// <summary>Whether the session's id cannot be reused, because a process of the session has not been reaped.</summary>
    public bool IsSessionPinned => !IsFirstReaped || NamedSession == Session;

    /// <summary>Whether <see cref="StartTime"/> has been read.</summary>
    public bool IsStartTimeRead => _startTime is not null;

    /// <summary>Field 22 of the /proc/PID/stat of <see cref="Pid"/>, read once.</summary>
    public ulong StartTime
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
    public ulong FirstStartTime
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

    /// <summary>Whether a process is one of the two, or in a session of theirs; null if it exists and has to be examined.</summary>
    public bool? Knows(int pid)
    {
        if ((pid == Session && !IsFirstReaped) || (pid == Pid && !AwaitsMain))
        {
            return true;
        }

        var session = pid <= 0 ? -1 : Processes.SessionOf(pid);
        return session < 0 ? false
            : (session == Session && IsSessionPinned && !IsForeign) || (session == NamedSession && NamedSession != 0) ? true
            : null;
    }

    /// <summary>Makes that descendant the main process. Takes over <paramref name="pidfd"/>.</summary>
    public void HandOver(int pid, DescriptorHandle pidfd)
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
        NamedSession = ProcFile.Read(pid)?.SessionId ?? 0;
    }

    /// <summary>Reaps the spawned process, if its exit is not the worker's.</summary>
    public void ReapFirst()
    {
        Processes.Reap(First ?? Pidfd);
        IsFirstReaped = true;
        AwaitsMain = First is null;
        First?.Dispose();
        First = null;
        _orphans?.Remove(Session);
    }

    /// <summary>Reaps the main process.</summary>
    /// <param name="isLater">Whether another thread may do that, for a process with many descriptors.</param>
    public void Reap(bool isLater)
    {
        if (isLater && _orphans is { } orphans && !IsForeign && !IsFirstReaped && !IsHandedOver)
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

    /// <summary>Leaves the spawned process to the reaper of orphans.</summary>
    public void Abandon() => _orphans?.Remove(Session);

    /// <summary>Sends SIGKILL to both. Null, or the first error.</summary>
    /// <param name="hasExited">Whether the main process has exited.</param>
    public SystemCallError? Kill(bool hasExited)
    {
        SystemCallError? error = null;
        if (!AwaitsMain && !hasExited)
        {
            error = SignalDelivery.Send(Pidfd, Pid, KernelAbi.SIGKILL);
        }

        return First is null ? error : error ?? SignalDelivery.Send(First, Session, KernelAbi.SIGKILL);
    }

    /// <summary>
    /// The sessions that are certainly its own. Init reaps the child of an earlier daemon, and another session may have its
    /// number by now.
    /// </summary>
    public ImmutableArray<int> Sessions()
    {
        var sessions = ImmutableArray.CreateBuilder<int>(2);
        if (IsSessionPinned && !IsForeign)
        {
            sessions.Add(Session);
        }

        if (NamedSession != 0 && NamedSession != Session && !IsForeign)
        {
            sessions.Add(NamedSession);
        }

        return sessions.ToImmutable();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Pidfd.Dispose();
        First?.Dispose();
    }
}
