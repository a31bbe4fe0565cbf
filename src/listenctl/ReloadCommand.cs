using System.CommandLine;
using Supervisor.Control;

namespace Supervisor.Listenctl;

/// <summary><c>reload [--dry-run]</c>: the daemon reads its configuration again and applies the difference, or says what it would do.</summary>
internal sealed class ReloadCommand : Verb
{
    private readonly Option<bool> dryRun = new("--dry-run") { Description = "Print the plan and change nothing" };

    public ReloadCommand(GlobalOptions options, CommandContext standard)
        : base("reload", "Reads the configuration again and applies the difference", "[--dry-run]", options, standard) =>
        Options.Add(dryRun);

    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, ControlClient client, bool json)
    {
        var bytes = client.Post("/v1/reload" + (parsed.GetValue(dryRun) ? "?dry_run=true" : ""));
        if (json)
        {
            Json.Write(CommandContext.Output, bytes);
            return ExitCode.Done;
        }

        var document = Json.Read(bytes, ControlJson.Default.ReloadDocument, client);
        var screen = new Screen(CommandContext);
        foreach (var action in document.Actions.Where(action => action.Action != "unchanged"))
        {
            var what = action.Name.Length == 0 ? action.Subject : $"{action.Subject} {action.Name}";
            var settings = action.Settings.Count == 0 ? "" : $" ({string.Join(", ", action.Settings)})";
            screen.Line(new Cell($"{what}: ").And(action.Action, action.Loses is null ? Palette.Good : Palette.Attention).And(settings).And(action.Reason is null ? null : ": " + action.Reason));
            if (action.Loses is { } loses)
            {
                screen.Line(new Cell("may lose: " + loses, Palette.Attention), indent: 2);
            }
        }

        var same = document.Actions.Count(action => action.Action == "unchanged");
        if (same > 0)
        {
            screen.Line($"unchanged: {string.Join(", ", document.Actions.Where(action => action.Action == "unchanged").Select(action => $"{action.Subject} {action.Name}"))}");
        }

        foreach (var warning in document.Warnings ?? [])
        {
            CommandContext.Error.WriteLine("listenctl: " + Printable.Of(warning));
        }

        screen.Line(document.DryRun ? "dry run: nothing was changed" : document.Actions.Count == same ? "nothing has changed" : "applied");
        return ExitCode.Done;
    }
}
