namespace Supervisor.Load;

/// <summary>The figures of the requests that were due in one phase, also if they ended in a later one.</summary>
public sealed record PhaseReport
{
    /// <summary>The name given to <see cref="LoadRun.BeginPhase"/>.</summary>
    public required string Name { get; init; }

    /// <summary>The duration of the phase in seconds; the sum if it was resumed.</summary>
    public required double Seconds { get; init; }

    /// <summary>The sum of the three kinds of traffic; its latency is that of <see cref="New"/>.</summary>
    public required TrafficReport Total { get; init; }

    /// <summary>New connections.</summary>
    public required TrafficReport New { get; init; }

    /// <summary>Kept-alive connections.</summary>
    public required TrafficReport KeepAlive { get; init; }

    /// <summary>Slow requests.</summary>
    public required TrafficReport Slow { get; init; }
}
