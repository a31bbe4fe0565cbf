using System.Collections.Concurrent;
using System.Diagnostics;
using Supervisor.Core;
using Supervisor.Core.Workers;
using Supervisor.Linux.Cgroups;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>
/// Stops and kills what workers leave behind, on a separate thread. One pass serves all present sweeps, and a worker with
/// thousands of processes delays only its own end. A pidfd is opened for each process before it is examined, so no process that
/// reuses the number is killed.
/// </summary>
internal sealed class Sweeper(EventLoop loop, OrphanReaper orphans) : IDisposable
{
    private const int StackBytes = 256 * 1024;

    /// <summary>The pidfds that are kept to see the deaths of processes whose children become the daemon's.</summary>
    private const int MostHeld = 64;

    /// <summary>
    /// How long a round waits for the processes that it killed: their children become the daemon's when they are dead.
    /// </summary>
    private static readonly TimeSpan DeathPatience = TimeSpan.FromMilliseconds(200);

    /// <summary>How long a look for the connections that a stop signal cuts may delay that signal.</summary>
    private static readonly TimeSpan CutPatience = TimeSpan.FromSeconds(1);

    private readonly ConcurrentQueue<Sweep> _queue = new();

    /// <summary>
    /// Not a SemaphoreSlim, which spins before it sleeps: it would spin on the processor that a dead worker's replacement
    /// starts on.
    /// </summary>
    private readonly AutoResetEvent _turn = new(false);
    private readonly StraySearch _strays = new(loop, orphans);
    private readonly List<Action> _whenIdle = [];
    private bool _isRunning;
    private int _underWay;
    private long? _lookedAt;
    private volatile bool _isOver;

    /// <summary>
    /// How often it looks only for workers that have crashed and are replaced already. A look costs as much as hundreds of other system
    /// calls if the daemon has a thousand children, and nobody waits for it. The first crash after a while does not wait.
    /// </summary>
    public TimeSpan CrashInterval { private get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>How often it has looked at all children of the daemon for workers that have exited. Any thread.</summary>
    public int Looks { get; private set; }

    /// <summary>Begins a sweep. On the loop.</summary>
    public void Begin(Sweep sweep)
    {
        _underWay++;
        sweep.Began = Stopwatch.GetTimestamp();
        _queue.Enqueue(sweep);
        if (!_isRunning)
        {
            _isRunning = true;
            BackgroundThread.Start("sweeps", StackBytes, Run);
        }
        else
        {
            _turn.Set();
        }
    }

    /// <summary>
    /// Whether no child of the daemon can have come from a worker whose leader is dead and not reaped: the daemon has started all of them.
    /// One look for all workers that exit in a turn, without the thread (bench "per-connection"). On the loop.
    /// </summary>
    public bool HaveNothingLeft() => ProcFile.HasOnlyKnownChildren(Processes.CurrentPid, orphans.IsKnown);

    /// <summary>Runs an action at the end of the first turn in which no sweep is under way. On the loop.</summary>
    public void WhenIdle(Action action)
    {
        if (_underWay == 0)
        {
            loop.AtTurnEnd(action);
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
                sweeps.Add(sweep);
            }

            if (sweeps.Count == 0)
            {
                _turn.WaitOne();
                continue;
            }

            if (_lookedAt is { } lookedAt && sweeps.TrueForAll(static sweep => sweep is { CanWait: true, IsCancelled: false })
                && CrashInterval - Stopwatch.GetElapsedTime(lookedAt) is { Ticks: > 0 } left)
            {
                _turn.WaitOne(left);
                continue;
            }

            foreach (var sweep in Round(sweeps))
            {
                sweeps.Remove(sweep);
                End(sweep, isTimedOut: false);
            }

            foreach (var late in sweeps
                .Where(sweep => sweep.IsCancelled || Stopwatch.GetElapsedTime(sweep.Began) > Sweep.Patience).ToArray())
            {
                sweeps.Remove(late);
                End(late, isTimedOut: true);
            }
        }
    }

    private void End(Sweep sweep, bool isTimedOut) => End(() => sweep.OnDone?.Invoke(isTimedOut));

    private void End(Action report) => loop.Post(() =>
    {
        _underWay--;
        report();
        if (_underWay == 0)
        {
            var waiting = _whenIdle.ToArray();
            _whenIdle.Clear();
            foreach (var action in waiting)
            {
                loop.AtTurnEnd(action);
            }
        }
    });

    /// <summary>
    /// Runs one round; returns the sweeps that have nothing left. Removes those that report what is left. Most workers leave nothing
    /// behind: the worker's cgroup shows that, or one look at the daemon's children for all workers without a cgroup.
    /// </summary>
    private List<Sweep> Round(List<Sweep> sweeps)
    {
        sweeps.ForEach(static sweep => sweep.CanWait = false);
        var empty = sweeps.Where(sweep => sweep is { IsLeaderDead: true, Cgroup: { } cgroup } && WorkerCgroup.IsEmpty(cgroup)).ToList();
        var ended = sweeps.Where(sweep => sweep is { IsLeaderDead: true, Cgroup: null }).ToList();
        if (ended.Count > 0)
        {
            _lookedAt = Stopwatch.GetTimestamp();
            Looks++;
            if (HaveNothingLeft(ended))
            {
                empty.AddRange(ended);
            }
        }

        if (empty.Count > 0)
        {
            return empty;
        }

        // What left a worker's session and has its token is among the remaining processes.
        _strays.Decide([.. sweeps.Where(sweep => sweep is { IsFinal: false, Worker: not null, Cgroup: null })]);
        var dying = new List<DescriptorHandle>();
        var quiet = new List<Sweep>();
        AcceptedConnections[] questions = [.. sweeps.Select(sweep => sweep.Connections).OfType<AcceptedConnections>()];
        var open = new Lazy<ConnectionSnapshot>(() => AcceptedConnections.OfAll(questions).Read(withAges: true));
        foreach (var (sweep, members) in SweepMembers.Find(sweeps, orphans))
        {
            if (!sweep.IsFinal && (members.Count > 0 || sweep.IsAnnouncement))
            {
                sweeps.Remove(sweep);
                var rest = Tell(sweep, members, open);
                End(() => sweep.OnRest?.Invoke(rest));
            }
            else if (!sweep.IsFinal)
            {
                // Another look, which kills what appears in between, and strays of doubtful origin.
                sweep.IsFinal = true;
                sweep.Decided.Clear();
            }
            else if (Kill(sweep, members, dying))
            {
                quiet.Add(sweep);
            }
        }

        AwaitDeaths(dying);
        var straying = quiet.Where(sweep => sweep.Worker is { Cgroup: null }).ToList();
        quiet.RemoveAll(_strays.Decide(straying).Contains);
        return quiet;
    }

    /// <summary>Whether no child of the daemon can have come from one of these workers. A dead leader is a child itself.</summary>
    private bool HaveNothingLeft(List<Sweep> sweeps)
    {
        var count = 0;
        var others = ProcFile.OwnChildren(child =>
        {
            count++;
            return !orphans.IsKnown(child);
        });
        return count > 0 && others.Select(ProcFile.Read).All(
            process => process is { } other && !sweeps.Exists(sweep => Membership.MayDescend(sweep.Worker!, other.StartTime)));
    }

    /// <summary>
    /// Sends the stop signal to the members that did not get it; returns those that live, up to a limit. After an announcement their
    /// pidfds are closed.
    /// </summary>
    private List<RemainingProcess> Tell(Sweep sweep, Dictionary<int, ulong> members, Lazy<ConnectionSnapshot> open)
    {
        var opened = new List<RemainingProcess>();
        foreach (var (pid, startTime) in members)
        {
            if (Open(pid, startTime) is { } pidfd)
            {
                sweep.Known.Add((pid, startTime));
                opened.Add(new RemainingProcess(pid, startTime, pidfd));
            }
        }

        if (sweep.StopSignal is > 0 and var signal)
        {
            var told = opened
                .Where(one => (sweep.OnlyPid ?? one.Pid) == one.Pid && sweep.Signalled.Add((one.Pid, one.StartTime))).ToList();
            ReportCut(sweep, signal, told, opened, open);
            foreach (var one in told)
            {
                if (SignalDelivery.SendStop(one.Pidfd, one.Pid, signal) is { } error)
                {
                    Refused(sweep, one.Pid, error);
                }
            }
        }

        // While the main process lives, nobody waits for the others.
        foreach (var unwatched in opened.Skip(sweep.IsAnnouncement ? 0 : MostHeld))
        {
            unwatched.Pidfd.Dispose();
        }

        return [.. opened.Take(MostHeld)];
    }

    /// <summary>
    /// Finds the connections that a stop signal cuts: those that only processes have which it ends, because they do not handle it.
    /// </summary>
    private void ReportCut(
        Sweep sweep, int signal, List<RemainingProcess> told, List<RemainingProcess> all, Lazy<ConnectionSnapshot> open)
    {
        if (sweep is not { Connections.IsEmpty: false, OnCut: { } onCut }
            || Signals.DefaultAction(signal) != SignalAction.Ends)
        {
            return;
        }

        var ended = told.Where(one => ProcFile.SignalsOf(one.Pid)?.Handles(signal) == false).Select(one => one.Pid).ToHashSet();
        if (ended.Count == 0)
        {
            return;
        }

        var until = Stopwatch.GetTimestamp() + (long)(CutPatience.TotalSeconds * Stopwatch.Frequency);
        if (open.Value.OnlyOf(ended, all.Select(one => one.Pid), until) is { Count: > 0 } cut)
        {
            loop.Post(() => onCut(cut));
        }
    }

    /// <summary>Sends SIGKILL to the members; true if there are none.</summary>
    private bool Kill(Sweep sweep, Dictionary<int, ulong> members, List<DescriptorHandle> dying)
    {
        if (sweep.Cgroup is { } cgroup)
        {
            if (members.Count == 0)
            {
                return true;
            }

            // cgroup.kill also reaches processes that fork at this moment.
            WorkerCgroup.TryKill(cgroup);
        }

        foreach (var session in sweep.Sessions)
        {
            // One call kills the whole process group of the session's leader; forks cannot escape it.
            Processes.Kill(-session, KernelAbi.SIGKILL);
        }

        foreach (var (pid, startTime) in members)
        {
            if (Open(pid, startTime) is not { } pidfd)
            {
                continue;
            }

            if (SignalDelivery.Send(pidfd, pid, KernelAbi.SIGKILL) is { } error && sweep.Signalled.Add((pid, 0)))
            {
                Refused(sweep, pid, error);
            }

            if (dying.Count < MostHeld)
            {
                dying.Add(pidfd);
            }
            else
            {
                pidfd.Dispose();
            }
        }

        return members.Count == 0;
    }

    /// <summary>A pidfd of that process; null if it has exited.</summary>
    private static DescriptorHandle? Open(int pid, ulong startTime)
    {
        var pidfd = Processes.OpenPidfd(pid, out _);
        if (pidfd is null || ProcFile.Read(pid) is { HasEnded: false } process && process.StartTime == startTime)
        {
            return pidfd;
        }

        pidfd.Dispose();
        return null;
    }

    private void Refused(Sweep sweep, int pid, SystemCallError error) => loop.Post(() => sweep.OnRefused?.Invoke(pid, error));

    /// <summary>Waits for the deaths, if it <paramref name="waits"/>, up to a limit, and closes the pidfds.</summary>
    public static void AwaitDeaths(List<DescriptorHandle> dying, bool waits = true)
    {
        var began = Stopwatch.GetTimestamp();
        foreach (var pidfd in dying)
        {
            var left = DeathPatience - Stopwatch.GetElapsedTime(began);
            if (waits && left > TimeSpan.Zero)
            {
                Polling.Await(pidfd, left);
            }

            pidfd.Dispose();
        }
    }
}
