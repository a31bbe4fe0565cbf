using Supervisor.Core;
using Supervisor.Core.Services;
using Supervisor.Core.Workers;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;

namespace Supervisor.Linux.Workers;

/// <summary>
/// Samples the draining workers of one service: the connections that each still has, and whether it accepts new ones. The facts
/// about each worker are a <see cref="WorkerDrain"/>. Lives on the loop; expensive reads run off the loop.
/// </summary>
/// <remarks>
/// A worker is sampled <see cref="FirstSample"/> after it began to drain, so a worker that has exited by then costs nothing.
/// Further samples follow after 1, 2, 4... seconds, at least every <see cref="LongestPause"/>. The last sample is taken before
/// the daemon kills the worker, because a dead worker shows nothing. While a client waits for the outcome
/// (<see cref="AddObservers"/>), known connections are counted every <see cref="ObservedPause"/>. That takes one request to the
/// kernel and reads no process. Where samples are expensive, the pauses are longer (<see cref="PausePerCost"/>). While no worker
/// drains, there are no samples and no timer.
/// </remarks>
internal sealed class DrainWatch : IDeadline, IDisposable
{
    private static readonly TimeSpan FirstSample = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan ObservedPause = TimeSpan.FromMilliseconds(500);

    /// <summary>How long the last sample may delay a kill.</summary>
    private static readonly TimeSpan LastSampleTimeout = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// A pause is so many times longer than the last sample took: with a hundred thousand connections, samples take a fiftieth of a
    /// processor.
    /// </summary>
    private const int PausePerCost = 50;

    private readonly EventLoop _loop;
    private readonly Func<IReadOnlyList<ListenerHandle>> _listeners;
    private readonly DrainSampler _sampler;
    private readonly Action<ServiceReport, WorkerState, WorkerDrain, string> _report;
    private readonly Action _onSeen;
    private readonly Dictionary<int, Subject> _subjects = [];
    private TimeSpan? _nextFull;
    private TimeSpan? _nextPartial;
    private TimeSpan? _nextKill;
    private int _observers;
    private bool _isSampling;

    /// <summary>A watch over workers of <paramref name="listeners"/>.</summary>
    /// <param name="loop">The loop.</param>
    /// <param name="listeners">All listeners that any worker of the service may have.</param>
    /// <param name="roots">The known living processes of a worker.</param>
    /// <param name="report">Receives what belongs in the log: a changed number of connections, a worker that keeps accepting,
    /// cut connections.</param>
    /// <param name="onSeen">Called when the facts about a worker change, also without a report.</param>
    public DrainWatch(
        EventLoop loop, Func<IReadOnlyList<ListenerHandle>> listeners, Func<int, IReadOnlyList<int>> roots,
        Action<ServiceReport, WorkerState, WorkerDrain, string> report, Action onSeen)
    {
        _loop = loop;
        _listeners = listeners;
        _sampler = new DrainSampler(loop, listeners, roots);
        _report = report;
        _onSeen = onSeen;
    }

    /// <inheritdoc/>
    public TimeSpan? NextDeadline => Earlier(_nextKill, _isSampling ? null : Earlier(_nextFull, _nextPartial));

    /// <summary>The facts about a draining worker; null for any other worker.</summary>
    public WorkerDrain? Of(int workerId) => _subjects.GetValueOrDefault(workerId)?.Drain;

    /// <summary>A client begins (1) or stops (-1) to wait for the outcome.</summary>
    public void AddObservers(int by)
    {
        _observers += by;
        Schedule();
    }

    /// <summary>Adapts the watch to the service's new state.</summary>
    public void Update(ServiceState state)
    {
        var draining = 0;
        var hasChanged = false;
        foreach (var worker in state.Workers)
        {
            if (worker.IsLive || worker.Pid is null || worker is { Connection: not null, EndReason: EndReason.None })
            {
                continue;
            }

            draining++;
            if (_subjects.TryGetValue(worker.Id, out var known))
            {
                known.Worker = worker;
            }
            else
            {
                _subjects.Add(worker.Id, new Subject(worker, _loop.Now + FirstSample));
                hasChanged = true;
            }
        }

        if (draining < _subjects.Count)
        {
            var present = state.Workers.Select(worker => worker.Id).ToHashSet();
            foreach (var gone in _subjects.Keys.Where(id => !present.Contains(id)).ToArray())
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

    /// <summary>The daemon sent a worker its stop signal at that time.</summary>
    public void Told(int workerId, TimeSpan at)
    {
        if (_subjects.TryGetValue(workerId, out var subject))
        {
            subject.Drain = subject.Drain.Told(at);
        }
    }

    /// <summary>
    /// Takes the last sample of a worker and then calls <paramref name="kill"/>, after at most <see cref="LastSampleTimeout"/>. A
    /// worker that can have no connection is killed at once.
    /// </summary>
    public void Kill(int workerId, Action kill)
    {
        if (!_subjects.TryGetValue(workerId, out var subject) || new AcceptedConnections(_listeners()).IsEmpty)
        {
            kill();
            return;
        }

        subject.Kill = kill;
        subject.KillAt = _loop.Now + LastSampleTimeout;
        Schedule();

        // Workers that are killed in the same turn share one sample.
        _loop.Post(SampleLast);
    }

    /// <inheritdoc/>
    public void PassDeadline()
    {
        var now = _loop.Now;
        foreach (var subject in _subjects.Values.Where(subject => subject.KillAt <= now).ToArray())
        {
            Cut(subject);
        }

        if (_isSampling)
        {
            return;
        }

        if (_nextFull <= now)
        {
            // Samples that are due a moment later are taken now: one request to the kernel serves all.
            var due = _subjects.Values.Where(subject => !subject.IsSeenLast && subject.NextSample <= now + FirstSample).ToArray();
            foreach (var subject in due)
            {
                subject.NextSample = now + subject.Pause;
                subject.Pause = subject.Pause * 2 < LongestPause ? subject.Pause * 2 : LongestPause;
            }

            Sample(due, isPartial: false);
        }
        else if (_nextPartial <= now)
        {
            _nextPartial = null;
            Sample([.. _subjects.Values.Where(HasConnections)], isPartial: true);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _sampler.Dispose();
        _subjects.Clear();
        _loop.Remove(this);
    }

    private static bool HasConnections(Subject subject) => !subject.IsSeenLast && subject.Drain.Count > 0;

    private bool IsKnown(Subject subject) => _subjects.GetValueOrDefault(subject.Worker.Id) == subject;

    /// <summary>When the next sample is due.</summary>
    private void Schedule()
    {
        (_nextFull, _nextKill) = (null, null);
        foreach (var subject in _subjects.Values)
        {
            _nextFull = subject.IsSeenLast ? _nextFull : Earlier(_nextFull, subject.NextSample);
            _nextKill = Earlier(_nextKill, subject.KillAt);
        }

        _nextPartial = _observers > 0 && _subjects.Values.Any(HasConnections) ? _nextPartial ?? _loop.Now + Longer(ObservedPause) : null;
        _loop.Schedule(this);
    }

    /// <summary>The pause, or a longer one while samples are expensive.</summary>
    private TimeSpan Longer(TimeSpan pause) => _sampler.Cost * PausePerCost is var longer && longer < pause ? pause
        : longer < LongestPause ? longer
        : LongestPause;

    private static TimeSpan? Earlier(TimeSpan? a, TimeSpan? b) => a is null ? b : b is null || a < b ? a : b;

    private void SampleLast()
    {
        var subjects = _subjects.Values.Where(subject => subject is { Kill: not null, IsSeenLast: false }).ToArray();
        if (subjects.Length == 0)
        {
            return;
        }

        foreach (var subject in subjects)
        {
            subject.IsSeenLast = true;
        }

        Schedule();
        _sampler.Sample(Targets(subjects), isPartial: false, isLast: true, found =>
        {
            for (var i = 0; i < subjects.Length; i++)
            {
                if (subjects[i].Kill is not null && IsKnown(subjects[i]))
                {
                    if (found is not null)
                    {
                        Take(subjects[i], found[i], isQuiet: true);
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
        if (DrainWords.Cut(subject.Drain, _loop.Now, Signals.Kill) is { } text)
        {
            _report(ServiceReport.WorkerCut, subject.Worker, subject.Drain, text);
        }

        kill();
    }

    private void Sample(Subject[] subjects, bool isPartial)
    {
        _isSampling = true;
        _sampler.Sample(Targets(subjects), isPartial, isLast: false, found =>
        {
            _isSampling = false;
            var hasChanged = false;
            for (var i = 0; i < subjects.Length && found is not null; i++)
            {
                if (IsKnown(subjects[i]) && !subjects[i].IsSeenLast)
                {
                    hasChanged |= Take(subjects[i], found[i], isQuiet: isPartial);
                    subjects[i].NextSample = Later(subjects[i].NextSample, _loop.Now + Longer(TimeSpan.Zero));
                }
            }

            Schedule();
            if (hasChanged)
            {
                _onSeen();
            }
        });
    }

    private static (int WorkerId, WorkerDrain Drain)[] Targets(Subject[] subjects) =>
        Array.ConvertAll(subjects, subject => (subject.Worker.Id, subject.Drain));

    /// <summary>
    /// Records a sample, and reports what belongs in the log; with <paramref name="isQuiet"/> not a mere change of the number.
    /// True if anything has changed.
    /// </summary>
    private bool Take(Subject subject, DrainFinding seen, bool isQuiet)
    {
        // The stop signal may have been sent while the sample was taken.
        var (before, after, at) = (seen.Before, seen.After with { ToldAt = seen.After.ToldAt ?? subject.Drain.ToldAt }, seen.At);
        subject.Drain = after;
        if (after.KeepsAccepting is { } kept && before.KeepsAccepting is null)
        {
            _report(ServiceReport.WorkerKeepsAccepting, subject.Worker, after, DrainWords.KeepsAccepting(kept));
        }

        if (!isQuiet && after.Count is { } count && count != subject.Reported)
        {
            subject.Reported = count;
            _report(ServiceReport.WorkerConnections, subject.Worker, after, DrainWords.Remaining(after, at));
        }

        return before.Count != after.Count || before.KeepsAccepting != after.KeepsAccepting;
    }

    private static TimeSpan Later(TimeSpan a, TimeSpan b) => a < b ? b : a;

    private sealed class Subject(WorkerState worker, TimeSpan firstSample)
    {
        public WorkerState Worker { get; set; } = worker;

        public WorkerDrain Drain { get; set; } = new(worker.PhaseSince);

        /// <summary>When all its descriptors are sampled next.</summary>
        public TimeSpan NextSample { get; set; } = firstSample;

        /// <summary>The pause between that sample and the following one.</summary>
        public TimeSpan Pause { get; set; } = FirstPause;

        /// <summary>How many connections were last reported; zero is not reported first.</summary>
        public int Reported { get; set; }

        /// <summary>What to do after the last sample.</summary>
        public Action? Kill { get; set; }

        /// <summary>When to do it at the latest.</summary>
        public TimeSpan? KillAt { get; set; }

        /// <summary>Whether the last sample has begun.</summary>
        public bool IsSeenLast { get; set; }
    }
}
