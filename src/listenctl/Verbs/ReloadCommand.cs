using System.CommandLine;
using Supervisor.Control;
using Supervisor.Listenctl.Client;
using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Verbs;

/// <summary><c>reload [--dry-run]</c>: the daemon reads its configuration again and applies the differences.</summary>
internal sealed class ReloadCommand : DaemonVerb
{
    private readonly Option<bool> dryRun = new("--dry-run") { Description = "Print the plan without changing anything" };

    public ReloadCommand(GlobalOptions options, CommandContext context)
        : base("reload", "Read the configuration again and apply the differences", "[--dry-run]", options, context) =>
        Options.Add(dryRun);

    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, ControlClient client, bool json)
    {
        var bytes = client.Post("/v1/reload" + (parsed.GetValue(dryRun) ? "?dry_run=true" : ""));
        if (json)
        {
            Json.Write(Context.Output, bytes);
            return ExitCode.Done;
        }

        var document = Json.Read(bytes, ControlJson.Default.ReloadDocument, client);
        var output = new TextOutput(Context);
        foreach (var action in document.Actions.Where(action => action.Action != "unchanged"))
        {
            var what = action.Name.Length == 0 ? action.Subject : $"{action.Subject} {action.Name}";
            var settings = action.Settings.Count == 0 ? "" : $" ({string.Join(", ", action.Settings)})";
            output.WriteLine(new StyledText($"{what}: ")
                .Append(action.Action, action.Loses is null ? Palette.Success : Palette.Warning)
                .Append(settings)
                .Append(action.Reason is null ? null : ": " + action.Reason));
            if (action.Loses is { } loses)
            {
                output.WriteLine(new StyledText("may lose: " + loses, Palette.Warning), indent: 2);
            }
        }

        var unchanged = document.Actions.Where(action => action.Action == "unchanged").Select(action => $"{action.Subject} {action.Name}")
            .ToArray();
        if (unchanged.Length > 0)
        {
            output.WriteLine($"unchanged: {string.Join(", ", unchanged)}");
        }

        foreach (var warning in document.Warnings ?? [])
        {
            Context.Error.WriteLine("listenctl: " + Printable.Of(warning));
        }

        output.WriteLine(document.DryRun
            ? "dry run: nothing was changed"
            : document.Actions.Count == unchanged.Length ? "nothing has changed" : "applied");
        return ExitCode.Done;
    }
}
