using System.CommandLine;
using System.Text.Json;
using Supervisor.Control;
using Supervisor.Listenctl.Client;
using Supervisor.Listenctl.Reports;
using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Verbs;

/// <summary>
/// <c>reload [--dry-run | --wait [--timeout D]]</c>: the daemon reads its configuration again and applies the differences.
/// </summary>
internal sealed class ReloadCommand : DaemonVerb
{
    /// <summary>A reload may begin a thousand roll-outs.</summary>
    private const int MostSteps = 20;

    private readonly Option<bool> dryRun = new("--dry-run") { Description = "Print the plan without changing anything" };
    private readonly Option<bool> wait = new("--wait")
    {
        Description = "Wait for the outcome of the roll-outs; exit status 1 if one is rolled back",
    };
    private readonly Option<TimeSpan?> timeout = WaitTimeout.Option();
    private readonly Option<bool> all;

    public ReloadCommand(GlobalOptions options, CommandContext context)
        : base(
            "reload", "Read the configuration again and apply the differences", "[--dry-run | --wait [--timeout D]] [--all]", options,
            context)
    {
        all = options.All;
        Options.Add(dryRun);
        Options.Add(wait);
        Options.Add(timeout);
        Options.Add(all);
        Validators.Add(result =>
        {
            if (result.GetValue(dryRun) && (result.GetValue(wait) || result.GetValue(timeout) is not null))
            {
                result.AddError("--dry-run and --wait cannot be combined");
            }
        });
    }

    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, ControlClient client, bool json)
    {
        var limit = parsed.GetValue(timeout);
        var (bytes, document) = parsed.GetValue(wait) || limit is not null
            ? Wait(client, limit, json)
            : Once(client, client.Post("/v1/reload" + (parsed.GetValue(dryRun) ? "?dry_run=true" : "")));
        if (json)
        {
            Json.Write(Context.Output, bytes);
        }
        else
        {
            Write(document, parsed.GetValue(all));
        }

        ReloadReport.WriteFailures(Context.Error, document);
        return IsComplete(document) && document.Outcome is null or "done" ? ExitCode.Done : ExitCode.Failed;
    }

    private void Write(ReloadDocument document, bool showsAll)
    {
        var output = new TextOutput(Context);
        ReloadReport.Write(output, document.Actions, showsAll);
        foreach (var warning in document.Warnings ?? [])
        {
            Context.Error.WriteLine("listenctl: " + Printable.Of(warning));
        }

        output.WriteLine(document.DryRun
            ? IsComplete(document) ? "dry run: nothing was changed"
                : "dry run: nothing was changed; a reload would be applied, except for a listener that still has no socket"
            : !IsComplete(document) ? "applied, except for what was refused: listenctl reload tries that again"
            : !document.Actions.Any(ReloadReport.IsChange) ? "nothing has changed" : "applied");
    }

    /// <summary>For an older daemon: after a reload, a warning is a change that the kernel refused.</summary>
    private static bool IsComplete(ReloadDocument document) =>
        document.Complete ?? (document.DryRun || document.Warnings is not { Count: > 0 });

    private static (byte[] Bytes, ReloadDocument Document) Once(ControlClient client, byte[] bytes) =>
        (bytes, Json.Read(bytes, ControlJson.Default.ReloadDocument, client));

    /// <summary>Shows the steps of the roll-outs until the last line, which is the document of the reload.</summary>
    private (byte[] Bytes, ReloadDocument Document) Wait(ControlClient client, TimeSpan? limit, bool json)
    {
        var (query, deadline) = WaitTimeout.Of(limit, Context.Clock);
        var output = json ? null : new TextOutput(Context);
        var progress = new PlainRolloutProgress(output is null ? Context.Error.WriteLine : line => output.WriteLine(line), MostSteps);
        byte[]? last = null;
        try
        {
            progress.Run(show =>
            {
                using var stream = client.PostAndWatch("/v1/reload" + query, deadline);
                while (stream.TryReadLine(out var line))
                {
                    using var step = Json.Parse(line, client);
                    if (step.RootElement.ValueKind == JsonValueKind.Object && step.RootElement.TryGetProperty("actions", out _))
                    {
                        last = line;
                        return;
                    }

                    show(Json.Read(line, ControlJson.Default.ChangeDocument, client));
                }
            });
        }
        catch (TimeoutException)
        {
            throw new ControlException("the daemon does not report on the reload; see \"listenctl status\"", ExitCode.Failed);
        }

        return last is not null
            ? Once(client, last)
            : throw client.ConnectionLost("the daemon ended the stream before the outcome of the reload");
    }
}
