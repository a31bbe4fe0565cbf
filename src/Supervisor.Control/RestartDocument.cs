namespace Supervisor.Control;

/// <summary>
/// What <c>POST /v1/services/NAME/restart</c> answers. With <c>?wait=true</c> the answer is a stream of these, one JSON
/// document a line (application/x-ndjson): each change as it happens, and last the one whose <see cref="Outcome"/> is set.
/// </summary>
/// <param name="Service">The service.</param>
/// <param name="Outcome">null while it runs; then one of done, rolled-back, superseded, failed, timeout.</param>
/// <param name="Rollout">The roll-out as it stands.</param>
/// <param name="Message">The line for people.</param>
public sealed record RestartDocument(string Service, string? Outcome, RolloutDocument? Rollout, string Message);
