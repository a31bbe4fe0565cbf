namespace Supervisor.Listenctl;

/// <summary><c>start SERVICE [--wait] [--timeout D]</c>: starts a stopped service; where it runs, workers in back-off are tried at once.</summary>
internal sealed class StartCommand(GlobalOptions options, CommandContext standard) : ChangeVerb(
    "start",
    "Starts the service; where it runs, workers that wait for their next try are tried at once",
    "start",
    "Show the progress and end when every worker is ready, or one fails again and has to wait",
    options,
    standard);
