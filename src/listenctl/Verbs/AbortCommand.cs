using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Verbs;

/// <summary><c>abort SERVICE [--wait] [--timeout D]</c>: rolls a roll-out back.</summary>
internal sealed class AbortCommand(GlobalOptions options, CommandContext context) : ChangeVerb(
    "abort", "Abort the roll-out and return to the previous generation",
    "roll-back", "Show progress until the new workers have exited", options, context);
