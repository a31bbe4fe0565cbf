using System.Diagnostics;

namespace Supervisor.Load;

/// <summary>The counters of a run by phase.</summary>
internal sealed class Ledger
{
    private const int MostSamples = 100;

    private readonly Lock _lock = new();
    private readonly Stopwatch _elapsed = Stopwatch.StartNew();
    private readonly List<Phase> _phases = [];
    private readonly List<FailureSample> _samples = [];
    private volatile Phase _current;

    public Ledger(string firstPhase)
    {
        _current = new Phase(firstPhase);
        _current.Begin();
        _phases.Add(_current);
    }

    /// <summary>The phase that counts a request that is due now, until its end.</summary>
    public Phase Current => _current;

    /// <summary>Begins a phase, or resumes the one with this name.</summary>
    public void Begin(string name)
    {
        lock (_lock)
        {
            _current.End();
            var phase = _phases.Find(known => known.Name == name);
            if (phase is null)
            {
                phase = new Phase(name);
                _phases.Add(phase);
            }

            phase.Begin();
            _current = phase;
        }
    }

    public void Fail(Phase phase, Traffic traffic, FailureKind kind, string detail)
    {
        phase[traffic].Fail(kind);
        lock (_lock)
        {
            if (_samples.Count < MostSamples)
            {
                _samples.Add(new FailureSample(Math.Round(_elapsed.Elapsed.TotalMilliseconds, 1), phase.Name, traffic, kind, detail));
            }
        }
    }

    public LoadReport Report()
    {
        lock (_lock)
        {
            var phases = _phases.ConvertAll(phase => phase.Report());
            var failures = new SortedDictionary<FailureKind, long>();
            foreach (var (kind, count) in phases.SelectMany(phase => phase.Total.Failures))
            {
                failures[kind] = failures.GetValueOrDefault(kind) + count;
            }

            return new LoadReport
            {
                Seconds = Math.Round(_elapsed.Elapsed.TotalSeconds, 3),
                Requests = phases.Sum(phase => phase.Total.Requests),
                Succeeded = phases.Sum(phase => phase.Total.Succeeded),
                Retried = phases.Sum(phase => phase.Total.Retried),
                Failed = failures.Values.Sum(),
                Failures = failures,
                Phases = phases,
                Samples = [.. _samples],
            };
        }
    }
}
