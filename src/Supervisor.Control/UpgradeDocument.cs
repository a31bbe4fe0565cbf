namespace Supervisor.Control;

/// <summary>The answer to <c>POST /v1/upgrade</c>, and, with the outcome, what listenctl says of it.</summary>
/// <param name="Outcome">done, or failed; null while it is under way.</param>
/// <param name="Pid">The daemon's process id, which stays.</param>
/// <param name="From">The version before.</param>
/// <param name="To">The version after.</param>
/// <param name="Upgrades">How often the daemon will have replaced itself.</param>
/// <param name="Message">The line for people.</param>
public sealed record UpgradeDocument(string? Outcome, int Pid, string From, string To, int Upgrades, string Message);
