using System.Collections.Immutable;
using Supervisor.Core.Listeners;

namespace Supervisor.Config.Settings;

/// <summary><c>[daemon]</c>; null where the configuration does not say.</summary>
public sealed record DaemonConfig
{
    /// <summary>The name of the metrics' address in messages.</summary>
    public const string MetricsSetting = "daemon.metrics";

    /// <summary>Absolute path of the folder of control.sock, broker.sock, the notify sockets and the state.</summary>
    public string? RuntimeDirectory { get; init; }

    /// <summary>HOST:PORT, numeric, on which metrics are served besides the control socket.</summary>
    public string? Metrics { get; init; }

    /// <summary>The metrics' address as a listener called <see cref="MetricsSetting"/>; null where none is configured, or the text is not an address.</summary>
    public ListenerSpec? MetricsListener =>
        ListenAddress.TryParse($"tcp://{Metrics}", out var parsed, out _) ? new ListenerSpec { Name = MetricsSetting, Address = parsed } : null;

    /// <summary>Host names that are answered there besides IP addresses, localhost and this host's own name; "*" is every name.</summary>
    public ImmutableArray<string> MetricsHosts { get; init; } = [];

    /// <summary>Users, by name or number, whose files and folders count as the daemon's own.</summary>
    public ImmutableArray<string> TrustedOwners { get; init; } = [];
}
