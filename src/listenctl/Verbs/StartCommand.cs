using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Verbs;

/// <summary>
/// <c>start SERVICE [--wait] [--timeout D]</c>: starts a stopped service; in a running one, ends the back-off of its workers.
/// </summary>
internal sealed class StartCommand(GlobalOptions options, CommandContext context) : ChangeVerb(
    "start", "Start a service; if it runs already, retry its workers in back-off now",
    "start", "Show progress until every worker is ready or one fails again", options, context);
