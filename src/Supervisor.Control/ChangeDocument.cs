namespace Supervisor.Control;

/// <summary>
/// What <c>POST /v1/services/NAME/start</c>, <c>stop</c>, <c>restart</c> and <c>scale</c> answer. With <c>?wait=true</c>
/// (start, stop, restart) the answer is a stream of these, one JSON document a line (application/x-ndjson): each change
/// as it happens, and last the one whose <see cref="Outcome"/> is set.
/// </summary>
/// <param name="Service">The service.</param>
/// <param name="Outcome">null while it runs; then one of done, rolled-back, superseded, failed, timeout.</param>
/// <param name="Rollout">The roll-out as it stands; null where there is none to follow.</param>
/// <param name="Message">The line for people.</param>
public sealed record ChangeDocument(string Service, string? Outcome, RolloutDocument? Rollout, string Message)
{
    /// <summary>The service's state, as in its status.</summary>
    public string? State { get; init; }

    /// <summary>How many workers there should be.</summary>
    public int Desired { get; init; }

    /// <summary>How many of them are ready.</summary>
    public int Ready { get; init; }

    /// <summary>How many processes there are, those included that are leaving.</summary>
    public int Workers { get; init; }

    /// <summary>How many connections those that are leaving have left; null where that is not known.</summary>
    public int? DrainingConnections { get; init; }
}
