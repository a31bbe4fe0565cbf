using System.Collections.Immutable;
using Supervisor.Core;
using Supervisor.Core.Listeners;

namespace Supervisor.Config.Settings;

/// <summary><c>[daemon]</c>; null for what is not configured.</summary>
public sealed record DaemonConfig
{
    /// <summary>The name of the metrics' address in messages.</summary>
    public const string MetricsSetting = "daemon.metrics";

    /// <summary>Absolute path of the folder of control.sock, broker.sock, the notify sockets and the state.</summary>
    public string? RuntimeDirectory { get; init; }

    /// <summary>The group, by name or number, whose members may read the control socket; null: the daemon's own group.</summary>
    public string? ControlGroup { get; init; }

    /// <summary>HOST:PORT, numeric, on which listend serves metrics, next to the control socket.</summary>
    public string? Metrics { get; init; }

    /// <summary>
    /// The metrics' address as a listener with the name <see cref="MetricsSetting"/>; null if none is configured, or the text is
    /// not an address.
    /// </summary>
    public ListenerSpec? MetricsListener =>
        ListenAddress.TryParse($"tcp://{Metrics}", out var parsed, out _)
            ? new ListenerSpec { Name = MetricsSetting, Address = parsed }
            : null;

    /// <summary>Accepted host names, next to IP addresses, localhost and the name of this host; "*" is every name.</summary>
    public ImmutableArray<string> MetricsHosts { get; init; } = [];

    /// <summary>
    /// How long the daemon serves on after it was told to stop, while /readyz answers 503, before it stops its workers.
    /// </summary>
    public TimeSpan StopDelay { get; init; }

    /// <summary><c>[access.NAME]</c>, in the order of the files and within them.</summary>
    public ImmutableArray<AccessRule> Access { get; init; } = [];

    /// <summary>Users, by name or number, whose files and folders listend trusts like the daemon's own.</summary>
    public ImmutableArray<string> TrustedOwners { get; init; } = [];
}
