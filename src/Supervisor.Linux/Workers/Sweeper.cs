using System.Collections.Concurrent;
using System.Diagnostics;
using Supervisor.Core.Workers;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>
/// Kills what workers leave behind, on a separate thread. One pass over /proc serves all present sweeps, and a worker with
/// thousands of processes delays only its own end. A pidfd is opened for each process before it is examined, so no process that
/// reuses the number is killed.
/// </summary>
internal sealed class Sweeper(EventLoop loop, OrphanReaper orphans) : IDisposable
{
    private const int StackBytes = 256 * 1024;

    /// <summary>The pidfds that are kept to see the deaths of processes whose children become the daemon's.</summary>
    private const int MostHeld = 64;

    /// <summary>The strays that are decided upon at a time, each with its pidfd.</summary>
    private const int MostStrays = 256;

    /// <summary>The children that are examined in one round.</summary>
    private const int MostChildren = 4096;

    /// <summary>
    /// How long a round waits for the processes that it killed: their children become the daemon's when they are dead.
    /// </summary>
    private static readonly TimeSpan DeathPatience = TimeSpan.FromMilliseconds(200);

    /// <summary>How long the sweeper waits for the loop's decision.</summary>
    private static readonly TimeSpan LoopPatience = TimeSpan.FromSeconds(5);

    private readonly ConcurrentQueue<Sweep> _queue = new();

    /// <summary>
    /// Not a SemaphoreSlim, which spins before it sleeps: it would spin on the processor that a dead worker's replacement
    /// starts on.
    /// </summary>
    private readonly AutoResetEvent _turn = new(false);
    private readonly List<Action> _whenIdle = [];
    private Thread? _thread;
    private int _underWay;
    private volatile bool _isOver;

    /// <summary>Begins a sweep. On the loop.</summary>
    public void Begin(Sweep sweep)
    {
        _underWay++;
        sweep.Began = Stopwatch.GetTimestamp();
        _queue.Enqueue(sweep);
        if (_thread is null)
        {
            _thread = new Thread(Run, StackBytes) { IsBackground = true, Name = "sweeps" };
            _thread.Start();
        }
        else
        {
            _turn.Set();
        }
    }

    /// <summary>Runs an action as soon as no sweep is under way, at once if none is. On the loop.</summary>
    public void WhenIdle(Action action)
    {
        if (_underWay == 0)
        {
            action();
        }
        else
        {
            _whenIdle.Add(action);
        }
    }

    /// <summary>Ends the thread after what is under way.</summary>
    public void Dispose()
    {
        _isOver = true;
        _turn.Set();
    }

    private void Run()
    {
        var sweeps = new List<Sweep>();
        while (!_isOver)
        {
            while (_queue.TryDequeue(out var sweep))
            {
                Open(sweep, sweeps);
            }

            if (sweeps.Count == 0)
            {
                _turn.WaitOne();
                continue;
            }

            foreach (var sweep in Round(sweeps))
            {
                sweeps.Remove(sweep);
                End(sweep, isTimedOut: false);
            }

            foreach (var late in sweeps.Where(sweep => Stopwatch.GetElapsedTime(sweep.Began) > Sweep.Patience).ToArray())
            {
                sweeps.Remove(late);
                End(late, isTimedOut: true);
            }
        }
    }

    private void Open(Sweep sweep, List<Sweep> sweeps)
    {
        if (sweep.Cgroup is { } cgroup && WorkerCgroup.TryKill(cgroup))
        {
            // cgroup.kill also reaches processes that fork at this moment.
            End(sweep, isTimedOut: false);
            return;
        }

        foreach (var session in sweep.Sessions)
        {
            // One call kills the whole process group of the session's leader; forks cannot escape it.
            Processes.Kill(-session, KernelAbi.SIGKILL);
        }

        sweeps.Add(sweep);
    }

    private void End(Sweep sweep, bool isTimedOut) => loop.Post(() =>
    {
        _underWay--;
        sweep.OnDone?.Invoke(isTimedOut);
        if (_underWay == 0)
        {
            var waiting = _whenIdle.ToArray();
            _whenIdle.Clear();
            foreach (var action in waiting)
            {
                action();
            }
        }
    });

    /// <summary>
    /// Runs one round; returns the sweeps that have nothing left. Most workers leave nothing behind: one look at the daemon's children
    /// shows that, and no process of the host is looked at.
    /// </summary>
    private List<Sweep> Round(List<Sweep> sweeps)
    {
        if (sweeps.TrueForAll(sweep => sweep.IsLeaderDead) && HaveNothingLeft(sweeps))
        {
            return [.. sweeps];
        }

        var dying = new List<DescriptorHandle>();
        var busy = KillMembers(sweeps, dying);
        AwaitDeaths(dying);
        var quiet = sweeps.Where(sweep => !busy.Contains(sweep)).ToList();
        var straying = quiet.Where(sweep => sweep.Worker is { Cgroup: null }).ToList();
        if (straying.Count > 0)
        {
            quiet.RemoveAll(KillStrays(straying).Contains);
        }

        return quiet;
    }

    /// <summary>Whether no child of the daemon can have come from one of these workers. A dead leader is a child itself.</summary>
    private bool HaveNothingLeft(List<Sweep> sweeps)
    {
        var children = ProcFile.OwnChildren();
        var others = children.Where(child => !orphans.IsOwn(child) && !orphans.IsSpared(child)).Select(child => ProcFile.Read(child));
        return children.Length > 0 && others.All(
            process => process is { } other && !sweeps.Exists(sweep => Membership.MayDescend(sweep.Worker!, other.StartTime)));
    }

    /// <summary>Sends SIGKILL to the members of the sessions; returns the sweeps with members that no earlier round had.</summary>
    private static HashSet<Sweep> KillMembers(List<Sweep> sweeps, List<DescriptorHandle> dying)
    {
        var busy = new HashSet<Sweep>();
        var bySession = new Dictionary<int, Sweep>();
        foreach (var sweep in sweeps)
        {
            foreach (var session in sweep.Sessions)
            {
                bySession[session] = sweep;
            }
        }

        if (bySession.Count == 0)
        {
            return busy;
        }

        foreach (var pid in ProcFile.All())
        {
            var session = Processes.SessionOf(pid);
            if (!bySession.TryGetValue(session, out var sweep) || sweep.Leaders.Contains(pid) || !sweep.Killed.Add(pid))
            {
                continue;
            }

            var pidfd = Processes.OpenPidfd(pid, out _);
            if (pidfd is not null && Processes.SessionOf(pid) == session)
            {
                Processes.Signal(pidfd, KernelAbi.SIGKILL);
                busy.Add(sweep);
                if (dying.Count < MostHeld)
                {
                    dying.Add(pidfd);
                    continue;
                }
            }

            pidfd?.Dispose();
        }

        return busy;
    }

    private static void AwaitDeaths(List<DescriptorHandle> dying)
    {
        var began = Stopwatch.GetTimestamp();
        foreach (var pidfd in dying)
        {
            var left = DeathPatience - Stopwatch.GetElapsedTime(began);
            if (left > TimeSpan.Zero)
            {
                Polling.Await(pidfd, left);
            }

            pidfd.Dispose();
        }
    }

    /// <summary>
    /// Finds processes that left a worker's session, lets the loop decide, and kills them; returns the sweeps that had some.
    /// </summary>
    private HashSet<Sweep> KillStrays(List<Sweep> sweeps)
    {
        var candidates = Candidates(sweeps);
        var hit = new HashSet<Sweep>();
        if (candidates.Count == 0)
        {
            return hit;
        }

        var decided = new ManualResetEventSlim(false, 0);
        var dying = new List<DescriptorHandle>();
        loop.Post(() =>
        {
            foreach (var candidate in candidates)
            {
                if (orphans.FindSweep(candidate, sweeps) is { } sweep)
                {
                    Processes.Signal(candidate.Pidfd, KernelAbi.SIGKILL);
                    hit.Add(sweep);
                    dying.Add(candidate.Pidfd);
                }
                else
                {
                    candidate.Pidfd.Dispose();
                }
            }

            decided.Set();
        });
        if (decided.Wait(LoopPatience))
        {
            AwaitDeaths(dying);
            return hit;
        }

        // The loop has ended or hangs: a later decision is carried out there.
        return [];
    }

    private List<Stray> Candidates(List<Sweep> sweeps)
    {
        var users = sweeps.Select(sweep => sweep.Worker!.Uid).ToHashSet();
        var inodes = sweeps.SelectMany(sweep => sweep.Listeners.Keys).ToHashSet();
        var found = new List<Stray>();
        var isForeign = sweeps.Exists(sweep => sweep.Worker!.IsForeign);
        foreach (var pid in (isForeign ? ProcFile.All() : ProcFile.OwnChildren())
            .Where(pid => !orphans.IsOwn(pid) && !orphans.IsSpared(pid)).Take(isForeign ? int.MaxValue : MostChildren))
        {
            if (found.Count == MostStrays)
            {
                break;
            }

            if (ProcFile.UsersOf(pid) is not { } ids || ids.Real != ids.Effective || ids.Effective != ids.Saved
                || !users.Contains(ids.Effective)
                || Processes.OpenPidfd(pid, out _) is not { } pidfd)
            {
                continue;
            }

            if (ProcFile.Read(pid) is { HasEnded: false } process
                && sweeps
                    .Where(sweep => sweep.Worker!.Uid == ids.Effective).Aggregate(false,
                        (isNew, sweep) => sweep.Decided.Add((pid, process.StartTime)) || isNew))
            {
                var isChild = process.ParentPid == Processes.CurrentPid;
                var token = ProcessEnvironment.ReadAsync(pid, ids.Effective, WorkerTokens.Variable).GetAwaiter().GetResult()[0];
                var held = new List<OpenFiles.Found>();
                if (isChild && inodes.Count > 0)
                {
                    OpenFiles.FindSocketsOf(pid, inodes, held);
                }

                if (Processes.IsThere(pidfd))
                {
                    found.Add(new Stray(pid, pidfd, process, ids.Effective, token, isChild, [.. held.Select(one => one.Inode).Distinct()],
                        ProcFile.Command(pid)));
                    continue;
                }
            }

            pidfd.Dispose();
        }

        return found;
    }

    /// <summary>A process that may have left a worker's session.</summary>
    /// <param name="Pid">Its id.</param>
    /// <param name="Pidfd">Its pidfd, opened before anything else was read.</param>
    /// <param name="Process">Its fields of /proc/PID/stat.</param>
    /// <param name="Uid">Its real, effective and saved user id.</param>
    /// <param name="Token">Its token; null if it has none or it could not be read.</param>
    /// <param name="IsChild">Whether it is the daemon's child.</param>
    /// <param name="Held">Inodes of the listeners that it holds.</param>
    /// <param name="Command">Its short name.</param>
    internal sealed record Stray(int Pid, DescriptorHandle Pidfd, ProcFile Process, uint Uid, string? Token, bool IsChild, ulong[] Held,
        string? Command);
}
