namespace Supervisor.Listenctl;

/// <summary><c>abort SERVICE [--wait] [--timeout D]</c>: the roll-out goes back.</summary>
internal sealed class AbortCommand(GlobalOptions options, CommandContext standard) : ChangeVerb(
    "abort",
    "Takes the service's roll-out back: the generation before serves again",
    "roll-back",
    "Show the progress and end when the new workers are gone",
    options,
    standard);
