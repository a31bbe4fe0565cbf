using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Verbs;

/// <summary><c>stop SERVICE [--wait] [--timeout D]</c>: drains the workers; the listeners stay open.</summary>
internal sealed class StopCommand(GlobalOptions options, CommandContext context) : ChangeVerb(
    "stop", "Drain and stop the workers of a service; its listeners stay open and new connections wait",
    "stop", "Show progress until the last worker has exited", options, context);
