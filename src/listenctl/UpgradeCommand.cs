using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Supervisor.Control;

namespace Supervisor.Listenctl;

/// <summary>
/// <c>upgrade</c>: the daemon replaces itself with the executable now on disk. The answer that counts is the new one's: its
/// control socket is the old one's, so the question waits there until it is up.
/// </summary>
internal sealed class UpgradeCommand : Verb
{
    public UpgradeCommand(GlobalOptions options, CommandContext standard)
        : base("upgrade", "Replaces the daemon by the executable now on disk: same pid, nothing closed, no worker touched", "", options, standard)
    {
    }

    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, ControlClient client, bool json)
    {
        var begun = Json.Read(client.Post("/v1/upgrade", UpgradeTimeout), ControlJson.Default.UpgradeDocument, client);
        DaemonDocument daemon;
        do
        {
            // The old one may still take a question or two, and says then that it is on its way.
            daemon = Json.Read(client.Get("/v1/status"), ControlJson.Default.StatusDocument, client).Daemon;
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
                ? string.Create(CultureInfo.InvariantCulture, $"listend {begun.From} is listend {daemon.Version} now (pid {daemon.Pid}, upgrade {daemon.Upgrades})")
                : $"listend {begun.From} goes on: the kernel did not execute the new one; its log says why",
        };
        if (json)
        {
            Json.Write(CommandContext.Output, JsonSerializer.SerializeToUtf8Bytes(ended, ControlJson.Default.UpgradeDocument));
        }

        if (!done)
        {
            CommandContext.Error.WriteLine("listenctl: " + Printable.Of(ended.Message));
            return ExitCode.Failed;
        }

        if (!json)
        {
            new Screen(CommandContext).Line(new Cell(Printable.Of(ended.Message), Palette.Good));
        }

        return ExitCode.Done;
    }

    /// <summary>The daemon gives the executable ten seconds to answer.</summary>
    private static readonly TimeSpan UpgradeTimeout = TimeSpan.FromSeconds(20);
}
