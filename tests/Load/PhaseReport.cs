namespace Supervisor.Load;

/// <summary>Figures of the requests that were due in one phase of a run, also where they ended in a later one.</summary>
public sealed record PhaseReport
{
    /// <summary>The name given to <see cref="LoadRun.BeginPhase"/>.</summary>
    public required string Name { get; init; }

    /// <summary>How long the phase lasted, in seconds; the sum, where it was begun several times.</summary>
    public required double Seconds { get; init; }

    /// <summary>All three kinds of traffic together; its latency is that of <see cref="New"/>.</summary>
    public required TrafficReport Total { get; init; }

    /// <summary>New connections.</summary>
    public required TrafficReport New { get; init; }

    /// <summary>Kept connections.</summary>
    public required TrafficReport KeepAlive { get; init; }

    /// <summary>Slow requests.</summary>
    public required TrafficReport Slow { get; init; }
}
