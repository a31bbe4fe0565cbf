using Supervisor.Control;
using Supervisor.Core.Services;

namespace Supervisor.Daemon.Web;

/// <summary>
/// Documents of the control interface without what only its readers may see: what workers write and say, which process
/// requested a change, clients' addresses, command lines, and paths of the daemon. <c>daemon.metrics</c> does not know who reads it.
/// </summary>
internal static class PublicDocuments
{
    /// <summary>How many workers of a service are shown: a service with a process for each connection may have thousands.</summary>
    private const int MostWorkers = 256;

    /// <summary>Stands for a client's address in a text.</summary>
    private const string SomeClient = "a client";

    /// <summary>The findings whose evidence names clients.</summary>
    private static readonly string[] AboutClients =
        ["peer-not-reading", "retransmitting", "send-queue-stuck", "receive-buffer-full", "keep-alive-off"];

    public static DaemonDocument Public(this DaemonDocument daemon) => daemon with
    {
        RuntimeDirectory = "",
        ConfigFile = null,
        AtRisk = null,
        Config = daemon.Config is not { } config ? null : config with
        {
            File = null,
            FileError = null,
            LastReload = config.LastReload is { } last ? last with { Error = null } : null,
        },
    };

    public static ServiceDocument Public(this ServiceDocument service) => service with
    {
        Rollout = Public(service.Rollout),
        Manual = service.Manual is { } manual ? manual with { By = manual.By with { Pid = null, Command = null } } : null,
        Workers = [.. service.Workers.Take(MostWorkers).Select(worker => worker with
        {
            StatusText = null, RejectedMessage = null, LastLines = null, Cgroup = null, Peer = null, Drain = Public(worker.Drain),
        })],
    };

    public static ListenerDocument Public(this ListenerDocument listener) => listener with
    {
        Failure = listener.Failure is { } failure
            ? failure with { Owners = [.. failure.Owners.Select(owner => owner with { Command = null })], File = null }
            : null,
    };

    public static EventDocument Public(this EventDocument document)
    {
        var text = document.Message;
        if (document.By is { } by)
        {
            text = text.Replace($" by {by}", "", StringComparison.Ordinal);
        }

        if (document.Kind == "reload-refused")
        {
            // The errors quote the configuration.
            text = "reload: rejected, nothing was changed";
        }

        foreach (var peer in (document.Drain?.Peers ?? []).Append(document.Drain?.KeepsAccepting?.Peer).OfType<string>())
        {
            text = text.Replace(peer, SomeClient, StringComparison.Ordinal);
        }

        var written = text.IndexOf(RolloutText.BeforeLastLines, StringComparison.Ordinal);
        return document with
        {
            Message = written < 0 ? text : text[..written],
            Rollout = Public(document.Rollout),
            Drain = Public(document.Drain),
            By = null,
        };
    }

    public static DiagnosisDocument Public(this DiagnosisDocument diagnosis) => diagnosis with
    {
        Listeners = [.. diagnosis.Listeners.Where(listener => listener.Findings.Count > 0).Select(listener => listener with
        {
            Findings = [.. listener.Findings.Select(finding =>
                AboutClients.Contains(finding.Code) ? finding with { Evidence = [] } : finding)],
            Workers = [],
        })],
    };

    private static RolloutDocument? Public(RolloutDocument? rollout) => rollout is null ? null : rollout with { LastLines = null };

    private static DrainDocument? Public(DrainDocument? drain) => drain is null ? null : drain with
    {
        Peers = [],
        KeepsAccepting = drain.KeepsAccepting is { } kept ? kept with { Peer = null } : null,
    };
}
