using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Verbs;

/// <summary>
/// <c>restart SERVICE [--wait] [--timeout D]</c>: replaces the workers by the roll-out strategy; starts a stopped service.
/// </summary>
internal sealed class RestartCommand(GlobalOptions options, CommandContext context) : ChangeVerb(
    "restart", "Replace the workers of a service by its roll-out strategy",
    "roll-out", "Show progress until the old workers have exited, then print the outcome", options, context);
