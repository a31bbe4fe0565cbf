namespace Supervisor.Control;

/// <summary>
/// The answer to <c>POST /v1/services/NAME/start</c>, <c>stop</c>, <c>restart</c> and <c>scale</c>. With <c>?wait=true</c>
/// (start, stop, restart) the answer is a stream of such documents, one per line (application/x-ndjson). Each step gives a
/// document; <see cref="Outcome"/> is set only in the last one.
/// </summary>
/// <param name="Service">The service.</param>
/// <param name="Outcome">null while the change is in progress; then one of done, rolled-back, superseded, failed, timeout.</param>
/// <param name="Rollout">The current state of the roll-out; null without one.</param>
/// <param name="Message">The same as text.</param>
public sealed record ChangeDocument(string Service, string? Outcome, RolloutDocument? Rollout, string Message)
{
    /// <summary>The service's state, as in its status.</summary>
    public string? State { get; init; }

    /// <summary>The configured number of workers.</summary>
    public int Desired { get; init; }

    /// <summary>How many workers are ready.</summary>
    public int Ready { get; init; }

    /// <summary>The number of worker processes, draining ones included.</summary>
    public int Workers { get; init; }

    /// <summary>How many connections of the service were cut since the change began.</summary>
    public long Cut { get; init; }

    /// <summary>The connections that draining workers still have; null if unknown.</summary>
    public int? DrainingConnections { get; init; }
}
