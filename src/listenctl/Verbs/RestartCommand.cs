using System.CommandLine;
using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Verbs;

/// <summary>
/// <c>restart SERVICE [--worker SLOT] [--wait] [--timeout D]</c>: replaces the workers by the roll-out strategy, or the worker of one
/// slot; starts a stopped service.
/// </summary>
internal sealed class RestartCommand : ChangeVerb
{
    private readonly SlotOption worker = new("Replace only the worker of this slot, when the new worker is ready");

    public RestartCommand(GlobalOptions options, CommandContext context)
        : base(
            "restart", "Replace the workers of a service by its roll-out strategy",
            "roll-out", "Show progress until the old workers have exited, then print the outcome", options, context,
            "SERVICE [--worker SLOT] [--wait] [--timeout D]") => Options.Add(worker);

    /// <inheritdoc/>
    protected override string Parameters(ParseResult parsed) => worker.Parameter(parsed);
}
