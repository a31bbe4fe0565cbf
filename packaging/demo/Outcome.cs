using Supervisor.Load;

namespace Supervisor.Demo;

/// <summary>What the demonstration has come to.</summary>
internal sealed class Outcome
{
    /// <summary>How long each restart took.</summary>
    public List<TimeSpan> Restarts { get; } = [];

    /// <summary>What did not go as it should; empty at a good end.</summary>
    public List<string> Problems { get; } = [];

    /// <summary>The load up to the daemon's end.</summary>
    public LoadReport? Load { get; set; }

    /// <summary>The requests in flight when the daemon was told to end.</summary>
    public LoadReport? Leaving { get; set; }

    /// <summary>
    /// Requests that died with the killed worker: new connections that it had accepted and not yet answered. Nobody
    /// can give those back. A connection that nobody had accepted is not among them: it waits in the queue, which is
    /// the daemon's, and its loss would be a failure.
    /// </summary>
    public long DiedWithWorker { get; private set; }

    /// <summary>Adds what the counts of the load have to say to the problems.</summary>
    /// <param name="rate">New connections a second.</param>
    public void Judge(int rate)
    {
        foreach (var phase in (Load?.Phases ?? []).Concat(Leaving?.Phases ?? []))
        {
            if (phase.Name == Phases.Killed)
            {
                JudgeKilled(phase, rate);
            }
            else if (phase.Total.Failed > 0)
            {
                Problems.Add($"{phase.Name}: {phase.Total.Failed} of {phase.Total.Requests} requests failed ({Describe(phase.Total)})");
            }
        }
    }

    // What a worker can have in its hands at one moment: what arrives in a twentieth of a second, when all goes well.
    // It breaks off; it never times out and is never refused.
    private void JudgeKilled(PhaseReport phase, int rate)
    {
        var broken = phase.New.Failures
            .Where(failure => failure.Key is FailureKind.Reset or FailureKind.Unanswered or FailureKind.Truncated)
            .Sum(failure => failure.Value);
        DiedWithWorker = broken;
        if (phase.Total.Failed > broken || broken > Math.Max(4, rate / 20))
        {
            Problems.Add($"{phase.Name}: {phase.Total.Failed} of {phase.Total.Requests} requests failed ({Describe(phase.Total)}), more "
                + $"than one worker had in its hands");
        }
    }

    private static string Describe(TrafficReport traffic) =>
        string.Join(", ", traffic.Failures.Select(failure => $"{failure.Value} {Words.Of(failure.Key)}"));
}
