using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Supervisor.Control;
using Supervisor.Listenctl.Client;
using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Verbs;

/// <summary>
/// <c>upgrade</c>: the daemon executes the file now on disk. The control socket stays open, so the status request that
/// follows waits in its queue until the new executable answers.
/// </summary>
internal sealed class UpgradeCommand : DaemonVerb
{
    /// <summary>Longer than the time in which the daemon tries the new executable: ten seconds, and one for each megabyte of state.</summary>
    private static readonly TimeSpan UpgradeTimeout = TimeSpan.FromMinutes(5);

    /// <summary>How long the new executable may read the state: it takes seconds with tens of thousands of listeners.</summary>
    private static readonly TimeSpan SuccessorTimeout = TimeSpan.FromMinutes(1);

    public UpgradeCommand(GlobalOptions options, CommandContext context)
        : base("upgrade", "Replace the daemon with the executable now on disk; pid, sockets and workers stay", "", options, context)
    {
    }

    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, ControlClient client, bool json)
    {
        var begun = Json.Read(client.Post("/v1/upgrade", UpgradeTimeout), ControlJson.Default.UpgradeDocument, client);
        DaemonDocument daemon;
        do
        {
            // The old executable may still answer a request or two; its answers say that it is upgrading.
            var answer = client.Get("/v1/status?services=false", SuccessorTimeout);
            daemon = Json.Read(answer, ControlJson.Default.StatusDocument, client).Daemon;
        }
        while (daemon.IsUpgrading && daemon.Upgrades < begun.Upgrades);

        var done = daemon.Upgrades >= begun.Upgrades;
        var ended = begun with
        {
            Outcome = done ? "done" : "failed",
            Pid = daemon.Pid,
            To = daemon.Version,
            Upgrades = daemon.Upgrades,
            Message = done
                ? string.Create(
                    CultureInfo.InvariantCulture,
                    $"upgraded from listend {begun.From} to {daemon.Version} (pid {daemon.Pid}, upgrade {daemon.Upgrades})")
                : $"upgrade failed, listend {begun.From} continues: the kernel did not execute the new file; see the daemon's log",
        };
        if (!done)
        {
            if (json)
            {
                Json.Write(Context.Output, JsonSerializer.SerializeToUtf8Bytes(ended, ControlJson.Default.UpgradeDocument));
            }

            Context.Error.WriteLine("listenctl: " + Printable.Of(ended.Message));
            return ExitCode.Failed;
        }

        return Print(JsonSerializer.SerializeToUtf8Bytes(ended, ControlJson.Default.UpgradeDocument), json, _ => ended.Message);
    }
}
