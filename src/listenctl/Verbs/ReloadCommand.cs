using System.CommandLine;
using Supervisor.Control;
using Supervisor.Listenctl.Client;
using Supervisor.Listenctl.Reports;
using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Verbs;

/// <summary><c>reload [--dry-run] [--all]</c>: the daemon reads its configuration again and applies the differences.</summary>
internal sealed class ReloadCommand : DaemonVerb
{
    private readonly Option<bool> dryRun = new("--dry-run") { Description = "Print the plan without changing anything" };
    private readonly Option<bool> all = new("--all") { Description = "Print a line for each listener and service" };

    public ReloadCommand(GlobalOptions options, CommandContext context)
        : base("reload", "Read the configuration again and apply the differences", "[--dry-run] [--all]", options, context)
    {
        Options.Add(dryRun);
        Options.Add(all);
    }

    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, ControlClient client, bool json)
    {
        var bytes = client.Post("/v1/reload" + (parsed.GetValue(dryRun) ? "?dry_run=true" : ""));
        var document = Json.Read(bytes, ControlJson.Default.ReloadDocument, client);

        // After a reload, a warning is a change that the kernel refused.
        var isComplete = document.DryRun || document.Warnings is not { Count: > 0 };
        if (json)
        {
            Json.Write(Context.Output, bytes);
            return isComplete ? ExitCode.Done : ExitCode.Failed;
        }

        var output = new TextOutput(Context);
        ReloadReport.Write(output, document.Actions, parsed.GetValue(all));
        foreach (var warning in document.Warnings ?? [])
        {
            Context.Error.WriteLine("listenctl: " + Printable.Of(warning));
        }

        output.WriteLine(document.DryRun
            ? "dry run: nothing was changed"
            : !isComplete ? "applied, except for what was refused: listenctl reload tries that again"
            : !document.Actions.Any(ReloadReport.IsChange) ? "nothing has changed" : "applied");
        return isComplete ? ExitCode.Done : ExitCode.Failed;
    }
}
