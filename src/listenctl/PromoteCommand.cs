namespace Supervisor.Listenctl;

/// <summary><c>promote SERVICE [--wait] [--timeout D]</c>: the canary is good, the roll-out goes on.</summary>
internal sealed class PromoteCommand(GlobalOptions options, CommandContext standard) : ChangeVerb(
    "promote",
    "Lets the service's roll-out go on beyond its canary",
    "roll-out",
    "Show the progress and end with the outcome, once the old workers are gone",
    options,
    standard);
