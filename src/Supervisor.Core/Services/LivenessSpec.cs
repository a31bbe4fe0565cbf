namespace Supervisor.Core.Services;

/// <summary><c>liveness</c>: a worker that fails is replaced.</summary>
public sealed record LivenessSpec
{
    /// <summary>What the worker has to do; null: it is not probed.</summary>
    public Readiness? Probe { get; init; }

    /// <summary>The pause between two probes.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long one probe may take.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How many probes in a row have to fail.</summary>
    public int Failures { get; init; } = 3;
}
