namespace Supervisor.Load;

/// <summary>The results of a run, at its end or so far.</summary>
public sealed record LoadReport
{
    /// <summary>Time since the run began, in seconds.</summary>
    public required double Seconds { get; init; }

    /// <summary>Requests that were due.</summary>
    public required long Requests { get; init; }

    /// <summary>Requests answered completely, with a 2xx status.</summary>
    public required long Succeeded { get; init; }

    /// <summary>All failed requests.</summary>
    public required long Failed { get; init; }

    /// <summary>Requests sent a second time, as <see cref="TrafficReport.Retried"/>.</summary>
    public required long Retried { get; init; }

    /// <summary>Failed requests by kind; kinds that did not occur are absent.</summary>
    public required IReadOnlyDictionary<FailureKind, long> Failures { get; init; }

    /// <summary>The phases in the order in which they first began.</summary>
    public required IReadOnlyList<PhaseReport> Phases { get; init; }

    /// <summary>The first failures, 100 at most.</summary>
    public required IReadOnlyList<FailureSample> Samples { get; init; }

    /// <summary>The phase with this name, or null.</summary>
    public PhaseReport? Phase(string name) => Phases.FirstOrDefault(phase => phase.Name == name);
}
