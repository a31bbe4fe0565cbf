namespace Supervisor.Control;

/// <summary>The answer to <c>POST /v1/upgrade</c>; listenctl adds the outcome.</summary>
/// <param name="Outcome">done or failed; null while the upgrade is in progress.</param>
/// <param name="Pid">The daemon's process id, which does not change.</param>
/// <param name="From">The version before the upgrade.</param>
/// <param name="To">The version after the upgrade.</param>
/// <param name="Upgrades">How often the daemon has re-executed itself, this upgrade included.</param>
/// <param name="Message">The same as text.</param>
public sealed record UpgradeDocument(string? Outcome, int Pid, string From, string To, int Upgrades, string Message);
