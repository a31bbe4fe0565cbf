using Supervisor.Load;

namespace Supervisor.Demo;

/// <summary>The results of the demo.</summary>
internal sealed class Outcome
{
    /// <summary>How long each restart took.</summary>
    public List<TimeSpan> Restarts { get; } = [];

    /// <summary>The failures; empty if the demo has succeeded.</summary>
    public List<string> Problems { get; } = [];

    /// <summary>The load until the daemon exits.</summary>
    public LoadReport? Load { get; set; }

    /// <summary>The requests in flight at the daemon's SIGTERM.</summary>
    public LoadReport? Leaving { get; set; }

    /// <summary>
    /// Requests that died with the killed worker: new connections that it had accepted and not answered, which cannot be
    /// recovered. A connection that no worker had accepted waits in the daemon's queue. To lose one is a failure.
    /// </summary>
    public long DiedWithWorker { get; private set; }

    /// <summary>Adds the failed requests of the load to the problems.</summary>
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

    // A worker handles at most the requests of a twentieth of a second at a time. When it dies, these connections break; they
    // do not time out and are not refused.
    private void JudgeKilled(PhaseReport phase, int rate)
    {
        var broken = phase.New.Failures
            .Where(failure => failure.Key is FailureKind.Reset or FailureKind.Unanswered or FailureKind.Truncated)
            .Sum(failure => failure.Value);
        DiedWithWorker = broken;
        if (phase.Total.Failed > broken || broken > Math.Max(4, rate / 20))
        {
            Problems.Add($"{phase.Name}: {phase.Total.Failed} of {phase.Total.Requests} requests failed ({Describe(phase.Total)}), more "
                + $"than one worker handles at a time");
        }
    }

    private static string Describe(TrafficReport traffic) =>
        string.Join(", ", traffic.Failures.Select(failure => $"{failure.Value} {Words.Of(failure.Key)}"));
}
