using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Verbs;

/// <summary><c>promote SERVICE [--wait] [--timeout D]</c>: continues a roll-out after its canary.</summary>
internal sealed class PromoteCommand(GlobalOptions options, CommandContext context) : ChangeVerb(
    "promote", "Promote the canary: continue the roll-out to the remaining workers",
    "roll-out", "Show progress until the old workers have exited, then print the outcome", options, context);
