namespace Supervisor.Listenctl;

/// <summary><c>restart SERVICE [--wait] [--timeout D]</c>: replaces the service's workers by its roll-out strategy; starts a stopped service.</summary>
internal sealed class RestartCommand(GlobalOptions options, CommandContext standard) : ChangeVerb(
    "restart",
    "Replaces the service's workers by its roll-out strategy",
    "roll-out",
    "Show the progress and end with the outcome, once the old workers are gone",
    options,
    standard);
