using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Json;
using Supervisor.Config;
using Supervisor.Config.Validation;
using Supervisor.Control;
using Supervisor.Core;
using Supervisor.Daemon.Reports;
using Supervisor.Daemon.Validation;
using Supervisor.Linux.Continuity;
using Supervisor.Linux.Paths;

namespace Supervisor.Listend.Commands;

/// <summary><c>listend check</c>: every error of a configuration, with file, line, column and setting. Changes nothing.</summary>
internal static class CheckCommand
{
    public static Command Create()
    {
        var config = ConfigOptions.Config();
        var json = new Option<bool>("--json") { Description = "Print one JSON document on standard output" };
        var trusted = ConfigOptions.TrustedOwner();
        var offline = new Option<bool>("--offline")
        {
            Description = "Check only the files, not this host: no users, paths, addresses or kernel; for example in CI",
        };
        var check = new Command("check", "Check a configuration without changing anything (exit status 0: no errors, 1: errors)")
        {
            config, json, trusted, offline,
        };
        check.SetAction(parsed =>
        {
            PathAudit.CommandLine = parsed.GetValue(trusted) ?? [];
            var path = parsed.GetValue(config)!;
            var isOffline = parsed.GetValue(offline);
            var result = isOffline ? ConfigLoading.LoadOffline(path) : Validate(path);
            if (parsed.GetValue(json))
            {
                var document = Document(path, result, isOffline);
                Console.Out.WriteLine(JsonSerializer.Serialize(document, ControlJson.Default.CheckDocument));
            }
            else
            {
                Print(path, result, isOffline ? [] : Selections(result));
            }

            return IsClean(result) ? 0 : 1;
        });
        return check;
    }

    private static ConfigResult Validate(string path)
    {
        var read = ConfigLoading.Read(path, ConfigLoading.Context);
        PathTrust.InForce = PathAudit.Trust(read.Draft.Daemon);

        // A service may list what was given to the daemon of that runtime directory. The state is read only where one does.
        var given = new Lazy<ImmutableHashSet<string>>(() => TrustedRuntimeDirectory.Of(read.Draft) is { } directory
            ? [.. StateFile.Read(new RuntimePaths(directory).StateFile).Manifest?.Listeners
                .Where(entry => entry is { IsGiven: true, Inode: not 0 })
                .Select(entry => entry.Spec.Name) ?? []]
            : []);
        var context = read.Context with { IsGiven = name => given.Value.Contains(name) };
        return ConfigLoading.Validate(read with { Context = context, File = Path.GetFullPath(path) }, Profile.Check);
    }

    private static bool IsClean(ConfigResult result) => result.Errors.IsEmpty && result.Failures.IsEmpty;

    private static CheckDocument Document(string path, ConfigResult result, bool isOffline) =>
        new(IsClean(result), [.. result.Errors.Select(FailureReport.Error)], [.. result.Failures.Select(FailureReport.Failure)])
        {
            Warnings = [.. result.Warnings.Select(FailureReport.Error)],
            Selections = isOffline ? [] : Selections(result),
            Paths = isOffline ? [] : [.. PathAudit.Paths(path, TrustedRuntimeDirectory.Of(result.Draft), result.Draft)],
        };

    private static SelectionDocument[] Selections(ConfigResult result) =>
        [.. (result.Config?.Listeners ?? []).Select(SelectionDocuments.Of).OfType<SelectionDocument>()];

    private static void Print(string path, ConfigResult result, SelectionDocument[] selections)
    {
        foreach (var error in result.Errors.Concat(result.Warnings))
        {
            Console.Error.WriteLine(Printable.Line(error.ToString()));
        }

        foreach (var failure in result.Failures)
        {
            Console.Error.WriteLine(Printable.Line(FailureReport.Line(FailureReport.Failure(failure), "cannot be bound now")));
        }

        if (IsClean(result))
        {
            foreach (var selection in selections)
            {
                Console.Out.WriteLine(
                    $"listener {selection.Name}: selection of sockets: {selection.By}"
                    + (selection.Reason is { } reason ? $": {Printable.Line(reason)}" : ""));
            }

            var (config, warnings) = (result.Config!, result.Warnings.Length);
            Console.Out.WriteLine(
                $"{Printable.Line(path)}: {Count(config.Listeners.Length, "listener")}, {Count(config.Services.Length, "service")}, "
                + $"no errors{(warnings == 0 ? "" : $", {Count(warnings, "warning")}")}");
        }
        else
        {
            Console.Error.WriteLine($"{Printable.Line(path)}: {Count(result.Errors.Length + result.Failures.Length, "error")}");
        }
    }

    private static string Count(int count, string what) => $"{count} {what}{(count == 1 ? "" : "s")}";
}
