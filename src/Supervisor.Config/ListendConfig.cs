using System.Collections.Immutable;
using Supervisor.Config.Settings;
using Supervisor.Core.Listeners;
using Supervisor.Core.Services;

namespace Supervisor.Config;

/// <summary>A complete, validated configuration.</summary>
public sealed record ListendConfig
{
    /// <summary><c>[daemon]</c>.</summary>
    public DaemonConfig Daemon { get; init; } = new();

    /// <summary><c>[listener.NAME]</c>, in the order of the files and within them.</summary>
    public ImmutableArray<ListenerSpec> Listeners { get; init; } = [];

    /// <summary>The files that this process has read it from; null if it has not, or without files.</summary>
    public ConfigStamp? Stamp { get; init; }

    /// <summary><c>[service.NAME]</c>, in the order of the files and within them.</summary>
    public ImmutableArray<ServiceSpec> Services { get; init; } = [];
}
