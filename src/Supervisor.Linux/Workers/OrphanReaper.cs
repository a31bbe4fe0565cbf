using System.Collections.Concurrent;
using System.Diagnostics;
using Supervisor.Core.Workers;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>
/// Reaps the processes that workers leave behind. The daemon is a subreaper (prctl(2)), so an orphan of a worker becomes its
/// child. So a worker that forks twice stays a descendant of the daemon, and the daemon has to reap the orphans that exit.
/// </summary>
/// <remarks>
/// SIGCHLD does not help: the runtime's handler reaps every child, and blocking the signal would need every thread. So a
/// separate thread waits in waitid() until any child has exited. It does not reap, informs the loop, and waits for its turn, so
/// it costs nothing at rest. The loop reaps processes that are not workers; workers have pidfds.
/// <para>
/// waitid() removes every entry of /proc/PID from the kernel's cache that anybody has read (proc_flush_pid in fs/proc/base.c). With the
/// 12,500 connections of a drained worker that takes 15 ms, so another thread reaps workers, and orphans while they take long.
/// </para>
/// </remarks>
public sealed class OrphanReaper : IDisposable
{
    private const int StackBytes = 128 * 1024;

    /// <summary>How long the daemon's exit waits for the remaining processes.</summary>
    private static readonly TimeSpan ExitPatience = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan DeathPatience = TimeSpan.FromMilliseconds(100);

    /// <summary>How long the loop reaps without a break: a worker can leave thousands behind at once.</summary>
    private static readonly TimeSpan Stretch = TimeSpan.FromMilliseconds(5);

    /// <summary>An orphan that takes longer to reap is followed by others like it: other threads of the same program.</summary>
    private static readonly TimeSpan LongReaping = TimeSpan.FromMilliseconds(1);

    private readonly EventLoop _loop;
    private readonly ConcurrentDictionary<int, byte> _children = new();

    /// <summary>The children that another thread reaps, with a mark: the next process with such a number has another one.</summary>
    private readonly ConcurrentDictionary<int, object> _reaping = new();
    private readonly Dictionary<WorkerProcess, int> _workers = [];
    /// <summary>The living workers of a daemon that has died.</summary>
    private readonly ConcurrentDictionary<int, byte> _foreign = new();
    private readonly Dictionary<int, ulong> _inherited = [];
    private readonly List<Action> _atNextReaping = [];

    /// <summary>
    /// Not a SemaphoreSlim, which spins before it sleeps: it would spin on the processor that a dead worker's replacement
    /// starts on.
    /// </summary>
    private readonly AutoResetEvent _turn = new(false);

    /// <summary>Whether the thread was started that waits for children.</summary>
    private bool _isRunning;

    /// <summary>
    /// How many processes were spawned. One may leave an orphan and be reaped before the loop learns that there was no child.
    /// </summary>
    private int _spawned;
    private bool _isWatching;
    private bool _isBehindChild;
    private bool _reapsAtTurnEnd;
    private bool _isSlow;
    private bool _hasReaped;

    /// <summary>Makes the daemon a subreaper.</summary>
    public OrphanReaper(EventLoop loop)
    {
        _loop = loop;
        Sweeper = new Sweeper(loop, this);
        foreach (var pid in ProcFile.OwnChildren())
        {
            if (ProcFile.Read(pid) is { } process)
            {
                _inherited[pid] = process.StartTime;
            }
        }

        Processes.BecomeSubreaper();
    }

    /// <summary>
    /// Whether a child is neither a worker nor a descendant of one, although it looks like one: the keeper and the disposer, which hold
    /// workers' descriptors, and the process that holds the workers' scope open. Any thread.
    /// </summary>
    public Func<int, bool> IsSpared { get; set; } = static _ => false;

    /// <summary>Kills what workers leave behind.</summary>
    internal Sweeper Sweeper { get; }

    /// <summary>Calls an action once, on the loop, after orphans were reaped.</summary>
    internal void AtNextReaping(Action action) => _atNextReaping.Add(action);

    /// <summary>Whether that process was spawned by the daemon itself and has not been reaped. Any thread.</summary>
    public bool IsOwn(int pid) => _children.ContainsKey(pid) || _reaping.ContainsKey(pid);

    /// <summary>Whether that process is known, so that it is not what a worker has left behind. Any thread.</summary>
    internal bool IsKnown(int pid) => IsOwn(pid) || IsSpared(pid) || _foreign.ContainsKey(pid);

    /// <summary>Runs an action as soon as no sweep is under way. On the loop.</summary>
    public void WhenSwept(Action action) => Sweeper.WhenIdle(action);

    /// <summary>Registers a living worker: its processes are not killed as strays of another worker.</summary>
    internal void Add(WorkerProcess worker)
    {
        _workers.Add(worker, worker.Pid);
        if (worker.Main.IsForeign)
        {
            _foreign[worker.Pid] = 0;
        }
    }

    /// <summary>Unregisters a worker that has exited.</summary>
    internal void Remove(WorkerProcess worker)
    {
        if (_workers.Remove(worker, out var pid) && worker.Main.IsForeign)
        {
            _foreign.TryRemove(pid, out _);
        }
    }

    /// <summary>
    /// The sweep that a stray process belongs to; null if it belongs to none, or may be a living worker's. A token decides,
    /// because only one worker got it. Without a token, three facts decide: the user, a held listener (or that the service is
    /// stopped), and the age. A process older than the worker is not its descendant. On the loop.
    /// </summary>
    internal Sweep? FindSweep(Stray stray, IReadOnlyList<Sweep> sweeps)
    {
        if (IsOwn(stray.Pid) || IsSpared(stray.Pid))
        {
            return null;
        }

        if (sweeps.FirstOrDefault(sweep => sweep.Worker!.Uid == stray.Uid && (stray.IsChild || sweep.Worker.IsForeign)
            && Membership.AreEqual(sweep.Worker.Token, stray.Token)) is { } owner)
        {
            if (owner.IsFinal && stray.Process.SessionId != owner.Worker!.Session)
            {
                owner.OnStray?.Invoke(stray.Pid, stray.Command, null, true);
            }

            return owner;
        }

        var step = new ProcessStep(stray.Pid, stray.Process.ParentPid, stray.Process.SessionId, stray.Process.StartTime);
        var lineage = new ProcessLineage([step], stray.Uid, null, stray.IsChild);
        var others = _workers.Keys.Where(worker => !sweeps.Any(sweep => sweep.Process == worker && sweep.IsFinal))
            .Select(worker => worker.Facts).Where(worker => worker.Cgroup is null && worker.Uid == stray.Uid).ToArray();
        if (!stray.IsChild || IsInherited(stray.Pid, stray.Process.StartTime)
            || others
                .Any(worker => Membership.AreEqual(worker.Token, stray.Token) || Membership.MayDescend(worker, stray.Process.StartTime)
                    || Membership.IsMember(worker, lineage)))
        {
            return null;
        }

        var final = sweeps.Where(sweep => sweep.IsFinal && sweep.Worker!.Uid == stray.Uid).ToArray();
        var heir = Array.Find(final, sweep => stray.Held.Any(sweep.Listeners.ContainsKey)) ?? Array.Find(final, sweep => sweep.IsLast);
        heir?.OnStray?.Invoke(stray.Pid, stray.Command, stray.Held
            .Select(heir.Listeners.GetValueOrDefault).FirstOrDefault(name => name is not null), false);
        return heir;
    }

    private bool IsInherited(int pid, ulong startTime) => _inherited.TryGetValue(pid, out var start) && start == startTime;

    /// <summary>Registers a process that its spawner reaps.</summary>
    public void Add(int pid)
    {
        _children[pid] = 0;
        _reaping.TryRemove(pid, out _);
        Interlocked.Increment(ref _spawned);
        if (!_isRunning)
        {
            (_isRunning, _isWatching) = (true, true);
            BackgroundThread.Start("orphans", StackBytes, WaitForChildren);
        }
        else if (!_isWatching && !_isBehindChild)
        {
            Continue();
        }
    }

    /// <summary>Unregisters a process that was reaped, or is to be reaped as an orphan.</summary>
    public void Remove(int pid)
    {
        _children.TryRemove(pid, out _);
        ContinueBehind();
    }

    /// <summary>Reaps a child that has exited, on another thread, and unregisters it afterwards. On the loop.</summary>
    internal void Reap(int pid) => ReapAside(pid, static () => { });

    private void ReapAside(int pid, Action onReaped)
    {
        var mark = new object();
        _reaping[pid] = mark;
        _children.TryRemove(pid, out _);
        Task.Run(() =>
        {
            Processes.Reap(pid);
            _loop.Post(() =>
            {
                _reaping.TryRemove(new(pid, mark));
                onReaped();
                ContinueBehind();
            });
        });
    }

    /// <summary>A child is reaped, so that waitid() shows the next one.</summary>
    private void ContinueBehind()
    {
        if (!_isBehindChild || _reapsAtTurnEnd)
        {
            return;
        }

        // Once for all that exit in this turn: to find an exited child, the kernel looks at every child. So the thread looks, not the loop.
        _reapsAtTurnEnd = true;
        _loop.AtTurnEnd(() =>
        {
            (_isBehindChild, _reapsAtTurnEnd) = (false, false);
            if (_hasReaped)
            {
                ReapOrphans(hasChildren: true);
            }
            else if (!_isWatching)
            {
                Continue();
            }
        });
    }

    /// <summary>
    /// Sends SIGKILL to the remaining orphans of workers and hooks when the daemon exits: its children that it neither spawned
    /// nor had at its start. Reports each with its command. After the loop; takes a few seconds at most.
    /// </summary>
    public void KillLeft(WorkerTokens tokens, Action<int, string?> onKilled)
    {
        var began = Stopwatch.GetTimestamp();
        var killed = new HashSet<(int, ulong)>();
        for (var found = true; found && Stopwatch.GetElapsedTime(began) < ExitPatience;)
        {
            found = false;
            foreach (var pid in ProcFile.OwnChildren(child => !IsOwn(child) && !IsSpared(child)))
            {
                using var pidfd = Processes.OpenPidfd(pid, out _);
                if (pidfd is null || ProcFile.Read(pid) is not { HasEnded: false } process || process.ParentPid != Processes.CurrentPid
                    || (IsInherited(pid, process.StartTime) && !HasToken(pid, tokens)) || !killed.Add((pid, process.StartTime)))
                {
                    continue;
                }

                found = true;
                onKilled(pid, ProcFile.Command(pid));
                SignalDelivery.Send(pidfd, pid, KernelAbi.SIGKILL);
                Polling.Await(pidfd, DeathPatience);
            }
        }
    }

    /// <summary>
    /// After an execve() of the daemon, an older orphan of a worker cannot be told from a child that the daemon's own starter
    /// left.
    /// </summary>
    private static bool HasToken(int pid, WorkerTokens tokens) =>
        ProcFile.UsersOf(pid) is { } ids && ids.Real == ids.Effective && ids.Effective == ids.Saved
        && tokens.IsOurs(ProcessEnvironment.ReadAsync(pid, ids.Effective, WorkerTokens.Variable).GetAwaiter().GetResult()[0]);

    /// <inheritdoc/>
    public void Dispose()
    {
        Sweeper.Dispose();

        // The thread waits for children while there are any; it ends with the process.
        _loop.Post(static () => { });
    }

    private void WaitForChildren()
    {
        while (true)
        {
            var before = Volatile.Read(ref _spawned);
            var exited = Processes.WaitAnyExited();
            _loop.Post(() =>
            {
                _isWatching = false;
                ReapOrphans(exited > 0 || before != _spawned, exited);
            });
            _turn.WaitOne();
        }
    }

    /// <summary>Reaps the orphans that have exited, up to the first child of the daemon's own.</summary>
    /// <param name="hasChildren">Whether there can be children.</param>
    /// <param name="found">A child that had exited, which saves a look at all children; 0: none is known.</param>
    private void ReapOrphans(bool hasChildren, int found = 0)
    {
        var reaped = _hasReaped;
        _hasReaped = false;
        var isMore = false;
        var began = Stopwatch.GetTimestamp();
        for (; (HasExited(found) ? found : Processes.PeekAnyExited()) is > 0 and var pid; found = 0)
        {
            if (Stopwatch.GetElapsedTime(began) > Stretch)
            {
                isMore = true;
                break;
            }

            if (IsOwn(pid))
            {
                // waitid() shows the next child after this one is reaped.
                _isBehindChild = true;
                break;
            }

            if (_isSlow)
            {
                _isSlow = false;
                _isBehindChild = true;
                ReapAside(pid, () => _hasReaped = true);
                break;
            }

            reaped = true;
            var beginsAt = Stopwatch.GetTimestamp();
            Processes.Reap(pid);
            _isSlow = Stopwatch.GetElapsedTime(beginsAt) > LongReaping;
        }

        if (isMore)
        {
            _loop.Post(() => ReapOrphans(hasChildren));
        }
        else if (!_isBehindChild && !_isWatching && (hasChildren || !_children.IsEmpty))
        {
            Continue();
        }

        if (reaped)
        {
            var actions = _atNextReaping.ToArray();
            _atNextReaping.Clear();
            Array.ForEach(actions, static action => action());
        }
    }

    /// <summary>
    /// Whether that child has exited and is not reaped: the number may be another process's by now. It costs no look at others.
    /// </summary>
    private static bool HasExited(int pid) => pid > 0 && Processes.PeekExit(pid) is not null;

    private void Continue()
    {
        _isWatching = true;
        _turn.Set();
    }
}
