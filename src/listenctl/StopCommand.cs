namespace Supervisor.Listenctl;

/// <summary><c>stop SERVICE [--wait] [--timeout D]</c>: drains the workers; the listeners stay open.</summary>
internal sealed class StopCommand(GlobalOptions options, CommandContext standard) : ChangeVerb(
    "stop",
    "Asks the service's workers to drain and leave; its listeners stay open, and new connections wait",
    "stop",
    "Show the progress and end when the last worker is gone",
    options,
    standard);
