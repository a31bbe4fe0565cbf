using System.Diagnostics;
using Supervisor.Core.Services;
using Supervisor.Core.Workers;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Probes;

namespace Supervisor.Linux.Workers;

/// <summary>
/// Looks at the workers of one service that leave: what connections they have left, and whether they accept new ones. What is
/// known of each is a <see cref="WorkerDrain"/>. Lives on the loop; what costs is read beside it.
/// </summary>
/// <remarks>
/// A worker is looked at <see cref="FirstLook"/> after it began to leave, so that one which is gone by then costs nothing; then
/// after 1, 2, 4... more seconds, no less often than each <see cref="LongestPause"/>; and once more before it is killed,
/// since afterwards nobody can. While somebody waits for the outcome (<see cref="Follow(int)"/>), connections that are known
/// already are counted each <see cref="FollowedPause"/>: that takes one question to the kernel and no look into any process.
/// Where no worker leaves, nothing is looked at and no time is waited for.
/// </remarks>
internal sealed class DrainWatch : IDeadline, IDisposable
{
    private static readonly TimeSpan FirstLook = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan FollowedPause = TimeSpan.FromMilliseconds(500);

    /// <summary>How long a worker that is to be killed is spared so that it can be seen what that cuts.</summary>
    private static readonly TimeSpan LastLookTimeout = TimeSpan.FromMilliseconds(500);

    /// <summary>How long the descriptors of all workers that leave may be looked through: any of them may have any number.</summary>
    private static readonly TimeSpan LookTime = TimeSpan.FromSeconds(2);

    private readonly EventLoop _loop;
    private readonly Func<IReadOnlyList<ListenerHandle>> _listeners;
    private readonly Action<ServiceReport, WorkerState, WorkerDrain, string> _report;
    private readonly Action _onSeen;
    private readonly Dictionary<int, Subject> _subjects = [];
    private TimeSpan? _nextFull;
    private TimeSpan? _nextPartial;
    private TimeSpan? _nextKill;
    private int _followers;
    private bool _isLooking;
    private bool _isDisposed;

    /// <summary>A watch over workers of <paramref name="listeners"/>.</summary>
    /// <param name="loop">The loop.</param>
    /// <param name="listeners">All listeners that any worker of the service may have.</param>
    /// <param name="report">Told what is worth a line: how many are left where that has changed, who keeps accepting, what was cut.</param>
    /// <param name="onSeen">Told that what is known has changed, whether or not it is worth a line.</param>
    public DrainWatch(
        EventLoop loop, Func<IReadOnlyList<ListenerHandle>> listeners, Action<ServiceReport, WorkerState, WorkerDrain, string> report,
            Action onSeen)
    {
        _loop = loop;
        _listeners = listeners;
        _report = report;
        _onSeen = onSeen;
        loop.Add(this);
    }

    /// <inheritdoc/>
    public TimeSpan? NextDeadline => Earlier(_nextKill, _isLooking ? null : Earlier(_nextFull, _nextPartial));

    /// <summary>What is known of a worker that leaves; null of any other.</summary>
    public WorkerDrain? Of(int workerId) => _subjects.GetValueOrDefault(workerId)?.Drain;

    /// <summary>Somebody waits for what comes of it (1), or waits no more (-1).</summary>
    public void Follow(int by)
    {
        _followers += by;
        Schedule();
    }

    /// <summary>The service is in that state now.</summary>
    public void Follow(ServiceState state)
    {
        var leaving = 0;
        var hasChanged = false;
        foreach (var worker in state.Workers)
        {
            if (worker.IsLive || worker.Pid is null)
            {
                continue;
            }

            leaving++;
            if (_subjects.TryGetValue(worker.Id, out var known))
            {
                known.Worker = worker;
            }
            else
            {
                _subjects.Add(worker.Id, new Subject(worker, _loop.Now + FirstLook));
                hasChanged = true;
            }
        }

        if (leaving < _subjects.Count)
        {
            foreach (var gone in _subjects.Keys.Where(id => !state.Workers.Any(worker => worker.Id == id)).ToArray())
            {
                _subjects.Remove(gone);
            }

            hasChanged = true;
        }

        if (hasChanged)
        {
            Schedule();
        }
    }

    /// <summary>A worker has been sent its stop signal, at that time.</summary>
    public void Told(int workerId, TimeSpan at)
    {
        if (_subjects.TryGetValue(workerId, out var subject))
        {
            subject.Drain = subject.Drain.Told(at);
        }
    }

    /// <summary>
    /// Looks at a worker for the last time and then calls <paramref name="kill"/>: as soon as it has been looked at, within
    /// <see cref="LastLookTimeout"/> in any case; at once where it can have no connection.
    /// </summary>
    public void Kill(int workerId, Action kill)
    {
        if (!_subjects.TryGetValue(workerId, out var subject) || new AcceptedConnections(_listeners()).IsEmpty)
        {
            kill();
            return;
        }

        subject.Kill = kill;
        subject.KillAt = _loop.Now + LastLookTimeout;
        Schedule();

        // Who is killed in the same turn is looked at together.
        _loop.Post(LookLast);
    }

    /// <inheritdoc/>
    public void PassDeadline()
    {
        var now = _loop.Now;
        foreach (var subject in _subjects.Values.Where(subject => subject.KillAt <= now).ToArray())
        {
            Cut(subject);
        }

        if (_isLooking)
        {
            return;
        }

        if (_nextFull <= now)
        {
            // What is due a moment later is due now: the kernel is asked once for all.
            var due = _subjects.Values.Where(subject => !subject.IsSeenLast && subject.NextLook <= now + FirstLook).ToArray();
            foreach (var subject in due)
            {
                subject.NextLook = now + subject.Pause;
                subject.Pause = subject.Pause * 2 < LongestPause ? subject.Pause * 2 : LongestPause;
            }

            Look(due, isPartial: false);
        }
        else if (_nextPartial <= now)
        {
            _nextPartial = null;
            Look([.. _subjects.Values.Where(HasConnections)], isPartial: true);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _isDisposed = true;
        _subjects.Clear();
        _loop.Remove(this);
    }

    private static bool HasConnections(Subject subject) => !subject.IsSeenLast && subject.Drain.Count > 0;

    private bool IsKnown(Subject subject) => _subjects.GetValueOrDefault(subject.Worker.Id) == subject;

    /// <summary>When to look next, by what is known of each.</summary>
    private void Schedule()
    {
        (_nextFull, _nextKill) = (null, null);
        foreach (var subject in _subjects.Values)
        {
            _nextFull = subject.IsSeenLast ? _nextFull : Earlier(_nextFull, subject.NextLook);
            _nextKill = Earlier(_nextKill, subject.KillAt);
        }

        _nextPartial = _followers > 0 && _subjects.Values.Any(HasConnections) ? _nextPartial ?? _loop.Now + FollowedPause : null;
    }

    private static TimeSpan? Earlier(TimeSpan? a, TimeSpan? b) => a is null ? b : b is null || a < b ? a : b;

    private void LookLast()
    {
        var subjects = _subjects.Values.Where(subject => subject is { Kill: not null, IsSeenLast: false }).ToArray();
        if (subjects.Length == 0 || _isDisposed)
        {
            return;
        }

        foreach (var subject in subjects)
        {
            subject.IsSeenLast = true;
        }

        Schedule();
        Ask(subjects, isPartial: false, (found, at) =>
        {
            for (var i = 0; i < subjects.Length; i++)
            {
                if (subjects[i].Kill is not null && IsKnown(subjects[i]))
                {
                    if (found is not null)
                    {
                        Take(subjects[i], found[i] with { IsLast = true }, at, isQuiet: true);
                    }

                    Cut(subjects[i]);
                }
            }
        });
    }

    private void Cut(Subject subject)
    {
        var kill = subject.Kill!;
        (subject.Kill, subject.KillAt, subject.IsSeenLast) = (null, null, true);
        Schedule();
        if (DrainWords.Cut(subject.Drain, _loop.Now) is { } text)
        {
            _report(ServiceReport.WorkerCut, subject.Worker, subject.Drain, text);
        }

        kill();
    }

    private void Look(Subject[] subjects, bool isPartial)
    {
        _isLooking = true;
        Ask(subjects, isPartial, (found, at) =>
        {
            _isLooking = false;
            var hasChanged = false;
            for (var i = 0; i < subjects.Length && found is not null; i++)
            {
                if (IsKnown(subjects[i]) && !subjects[i].IsSeenLast)
                {
                    hasChanged |= Take(subjects[i], found[i], at, isQuiet: isPartial);
                }
            }

            Schedule();
            if (hasChanged)
            {
                _onSeen();
            }
        });
    }

    /// <summary>Looks beside the loop, and hands over what was found, in the subjects' order, on it; null where the look failed.</summary>
    private void Ask(Subject[] subjects, bool isPartial, Action<DrainSample[]?, TimeSpan> onFound)
    {
        var now = _loop.Now;
        var handles = _listeners();
        var question = new AcceptedConnections(handles);
        var targets = Array.ConvertAll(subjects, subject => (
            Pid: subject.Worker.Pid!.Value,
            Known: isPartial ? subject.Drain.Connections : null,
            Waits: !isPartial && subject.Drain.MayKeepAccepting(now)));
        var names = !targets.Any(target => target.Waits) ? [] : handles
            .Where(handle => handle.Listens)
            .SelectMany(handle => handle.Sockets.Select(socket => (socket.Inode, handle.Name)))
            .DistinctBy(one => one.Inode)
            .ToDictionary(one => one.Inode, one => one.Name);
        LookAsync(() =>
        {
            var until = Stopwatch.GetTimestamp() + (long)(LookTime.TotalSeconds * Stopwatch.Frequency);
            var all = question.All(withAges: true);
            var inodes = all.Keys.ToHashSet();
            return Array.ConvertAll(targets, target => target.Known is { } known
                ? new DrainSample([.. known.Where(connection => all.ContainsKey(connection.Inode)).Select(connection => all[connection.Inode])]) { IsPartial = true }
                : new DrainSample(
                    AcceptedConnections.Of(target.Pid, all, inodes, until),
                    target.Waits ? [.. AcceptProbe.Awaited(target.Pid, names.Keys, until).Select(inode => names[inode]).Distinct()]
                        : null));
        }).ContinueWith(
            task => _loop.Post(() =>
            {
                if (!_isDisposed)
                {
                    onFound(task.IsCompletedSuccessfully ? task.Result : null, _loop.Now);
                }
            }),
            TaskScheduler.Default);
    }

    /// <summary>On a thread that may wait; a look that may not begin is one that failed.</summary>
    private Task<DrainSample[]> LookAsync(Func<DrainSample[]> look)
    {
        try
        {
            return ProbeThreads.Shared.RunAsync(this, look);
        }
        catch (ProbeThreads.StuckException exception)
        {
            return Task.FromException<DrainSample[]>(exception);
        }
    }

    /// <summary>
    /// Takes in what was seen, and reports what is worth it; with <paramref name="isQuiet"/> no mere change of the
    /// number. Whether anything has changed.
    /// </summary>
    private bool Take(Subject subject, DrainSample look, TimeSpan at, bool isQuiet)
    {
        var before = subject.Drain;
        var after = subject.Drain = before.See(look, at);
        if (after.KeepsAccepting is { } kept && before.KeepsAccepting is null)
        {
            _report(ServiceReport.WorkerKeepsAccepting, subject.Worker, after, DrainWords.Keeps(kept));
        }

        if (!isQuiet && after.Count is { } count && count != subject.Reported)
        {
            subject.Reported = count;
            _report(ServiceReport.WorkerConnections, subject.Worker, after, DrainWords.Left(after, at));
        }

        return before.Count != after.Count || before.KeepsAccepting != after.KeepsAccepting;
    }

    private sealed class Subject(WorkerState worker, TimeSpan firstLook)
    {
        public WorkerState Worker { get; set; } = worker;

        public WorkerDrain Drain { get; set; } = new(worker.PhaseSince);

        /// <summary>When all its descriptors are looked at next.</summary>
        public TimeSpan NextLook { get; set; } = firstLook;

        /// <summary>How long after that once more.</summary>
        public TimeSpan Pause { get; set; } = FirstPause;

        /// <summary>How many connections were last reported; none is no news at first.</summary>
        public int Reported { get; set; }

        /// <summary>What is to be done when it has been looked at for the last time.</summary>
        public Action? Kill { get; set; }

        /// <summary>When that is done in any case.</summary>
        public TimeSpan? KillAt { get; set; }

        /// <summary>Whether its last look has begun.</summary>
        public bool IsSeenLast { get; set; }
    }
}
