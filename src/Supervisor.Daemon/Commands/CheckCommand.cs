using System.CommandLine;
using System.Text.Json;
using Supervisor.Config.Diagnostics;
using Supervisor.Control;
using Supervisor.Core;
using Supervisor.Daemon.Control;
using Supervisor.Daemon.Runtime;
using Supervisor.Daemon.Validation;
using Supervisor.Linux.Paths;
using Supervisor.Native;

namespace Supervisor.Daemon.Commands;

/// <summary><c>listend check</c>: every error of a configuration, with file, line, column and setting, and every file of a service that is not there. Changes nothing.</summary>
internal static class CheckCommand
{
    public static Command Create()
    {
        var config = ConfigLoading.ConfigOption();
        var json = new Option<bool>("--json") { Description = "One JSON document on standard output" };
        var trusted = ConfigLoading.TrustedOwnerOption();
        var check = new Command("check", "Checks a configuration and changes nothing: exit status 0 clean, 1 errors") { config, json, trusted };
        check.SetAction(parsed =>
        {
            PathAudit.CommandLine = parsed.GetValue(trusted) ?? [];
            var path = parsed.GetValue(config)!;
            var result = ConfigLoading.LoadForCheck(path);
            var (readable, places) = (result.Readable, result.Places);
            HostRules.LookUp(result.Draft).GetAwaiter().GetResult();
            PathTrust.InForce = PathAudit.Trust(result.Draft.Daemon);
            var directory = result.RuntimeDirectory ?? RuntimePaths.Default(Processes.EffectiveUid == 0)?.Directory;
            var exposed = directory is null ? null : PathAudit.RuntimeError(directory, result.Draft.Daemon, places);
            ConfigDiagnostic[] errors =
            [
                .. places.Sort(
                [
                    .. result.Errors, .. SupportRules.Check(readable, places), .. SupportRules.CheckInheritance(readable, places), .. HostRules.Errors(result.Draft, places),
                    .. PathAudit.Errors(readable, places), .. exposed is null ? [] : (ConfigDiagnostic[])[exposed],
                ]),
            ];
            var warnings = SupportRules.CheckFiles(readable, places);
            FailureDocument[] failures = [.. BindProbeRules.Check(result)];
            var ok = errors.Length == 0 && failures.Length == 0;
            if (parsed.GetValue(json))
            {
                var document = new CheckDocument(
                    ok,
                    [.. errors.Select(Document)],
                    failures)
                {
                    Warnings = [.. warnings.Select(Document)],
                    Paths = [.. PathAudit.Paths(path, directory, result.Draft)],
                };
                Console.Out.WriteLine(JsonSerializer.Serialize(document, ControlJson.Default.CheckDocument));
            }
            else
            {
                foreach (var error in errors.Concat(warnings))
                {
                    Console.Error.WriteLine(Printable.Line(error.ToString()));
                }

                foreach (var failure in failures)
                {
                    Console.Error.WriteLine(Printable.Line(Documents.Line(failure, "cannot be bound now")));
                }

                if (ok)
                {
                    Console.Out.WriteLine($"{Printable.Line(path)}: {Count(result.Config!.Listeners.Length, "listener")}, {Count(result.Config.Services.Length, "service")}, no errors{(warnings.IsEmpty ? "" : $", {Count(warnings.Length, "warning")}")}");
                }
                else
                {
                    Console.Error.WriteLine($"{Printable.Line(path)}: {Count(errors.Length + failures.Length, "error")}");
                }
            }

            return ok ? 0 : 1;
        });
        return check;
    }

    private static ConfigErrorDocument Document(ConfigDiagnostic found) => new(found.File, found.Line, found.Column, found.Setting, found.Message, found.Remedy);

    private static string Count(int count, string what) => $"{count} {what}{(count == 1 ? "" : "s")}";
}
