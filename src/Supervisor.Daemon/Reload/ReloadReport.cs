using System.Globalization;
using Serilog;
using Supervisor.Config.Diagnostics;
using Supervisor.Control;
using Supervisor.Core;
using Supervisor.Daemon.Reports;
using Supervisor.Linux;

namespace Supervisor.Daemon.Reload;

/// <summary>Reports the result of a reload: as a document, in the log and as an event.</summary>
/// <param name="events">The event stream.</param>
/// <param name="log">The log.</param>
/// <param name="file">The configuration file; null without one.</param>
internal sealed class ReloadReport(EventLog events, ILogger log, string? file)
{
    /// <summary>A dry run without an error.</summary>
    public ReloadDocument DryRun(
        IReadOnlyList<ReloadActionDocument> actions, IEnumerable<ConfigDiagnostic> warnings, bool isComplete) =>
        new(DryRun: true, Applied: false, file, actions, [], [], ReloadText.Summary(actions, dryRun: true))
        {
            Warnings = [.. warnings.Select(warning => warning.ToString())],
            Complete = isComplete,
        };

    /// <summary>A reload that was applied.</summary>
    /// <param name="actions">What was done.</param>
    /// <param name="warnings">Options that the kernel has refused on a living socket.</param>
    public ReloadDocument Applied(IReadOnlyList<ReloadActionDocument> actions, IReadOnlyList<string> warnings)
    {
        var message = ReloadText.Summary(actions, dryRun: false);
        log.Kind(MessageIds.ReloadApplied).Information("reload: {Message}", message);
        foreach (var warning in warnings)
        {
            log.Kind(MessageIds.ReloadWarning).Warning("reload: {Warning}", warning);
        }

        events.Daemon("reloaded", "reload: " + message);
        return new ReloadDocument(DryRun: false, Applied: true, file, actions, [], [], message)
        {
            Warnings = warnings,
            Complete = warnings.Count == 0,
        };
    }

    /// <summary>A refused configuration, which has changed nothing.</summary>
    public ReloadDocument Refused(
        bool dryRun, IReadOnlyList<ConfigDiagnostic> errors, IReadOnlyList<ConfigDiagnostic> failures,
        IReadOnlyList<ReloadActionDocument> actions)
    {
        FailureDocument[] unbound = [.. failures.Select(FailureReport.Failure)];
        string[] lines =
            [.. errors.Select(error => error.ToString()), .. unbound.Select(failure => FailureReport.Line(failure, "cannot be bound"))];
        if (!dryRun)
        {
            foreach (var line in lines)
            {
                log.Kind(MessageIds.ReloadError).Error("reload: {Error}", line);
            }

            log.Kind(MessageIds.ReloadRefused).Error("reload: rejected, nothing was changed");
            events.Daemon("reload-refused", $"reload: rejected, nothing was changed: {string.Join("; ", lines)}");
        }

        var count = string.Create(CultureInfo.InvariantCulture, $"{lines.Length} error{(lines.Length == 1 ? "" : "s")}");
        var message =
            $"the configuration {(dryRun ? "would be" : "is")} refused ({count}); nothing {(dryRun ? "would be" : "was")} changed";
        return new ReloadDocument(dryRun, Applied: false, file, actions, [.. errors.Select(FailureReport.Error)], unbound, message)
        {
            Type = "about:blank",
            Title = "the configuration is rejected",
            Detail = string.Join('\n', [.. lines.Select(Printable.Line), message]),
        };
    }

    /// <summary>Logs each action of a reload at the start of the daemon, which has no client that gets the document.</summary>
    public void LogActions(IEnumerable<ReloadActionDocument> actions)
    {
        foreach (var action in actions.Where(ReloadText.IsChange))
        {
            var kind = log.Kind(MessageIds.ReloadAction);
            var about = action.Subject switch
            {
                "service" => kind.Service(action.Name),
                "listener" => kind.Listener(action.Name),
                _ => kind,
            };
            about.Information(
                "reload: {Subject}: {Action}{Settings}{Reason}", ReloadText.Subject(action), action.Action,
                action.Settings.Count == 0 ? "" : $" ({string.Join(", ", action.Settings)})",
                action.Reason is { } reason ? $": {reason}" : "");
        }
    }
}
