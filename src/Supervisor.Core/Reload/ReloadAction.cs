using System.Collections.Immutable;
using Supervisor.Core.Listeners;
using Supervisor.Core.Services;

namespace Supervisor.Core.Reload;

/// <summary>One thing that a reload does.</summary>
/// <param name="Name">The listener or service; empty for the daemon.</param>
/// <param name="Settings">The settings whose change it applies.</param>
public abstract record ReloadAction(string Name, ImmutableArray<string> Settings);

/// <summary>The listener stays as it is.</summary>
public sealed record ListenerUnchanged(string Name) : ReloadAction(Name, []);

/// <summary>No setting has changed, but the socket is no longer as configured, and the reload sets that right.</summary>
public sealed record ListenerMended(string Name, ImmutableArray<ListenerMend> Mends)
    : ReloadAction(Name, [.. Mends.Select(mend => mend.Setting).Distinct()]);

/// <summary>A new listener is bound.</summary>
/// <param name="Name">Its name.</param>
/// <param name="At">Its address.</param>
/// <param name="Beside">Sockets that are about to be closed, and share the address until then.</param>
public sealed record ListenerAdded(string Name, ListenAddress At, ImmutableArray<RunningListener> Beside) : ReloadAction(Name, []);

/// <summary>A listener is no longer configured; its socket is closed when no worker has it.</summary>
public sealed record ListenerRemoved(string Name, RunningListener Former) : ReloadAction(Name, []);

/// <summary>A listener without a socket is bound again.</summary>
public sealed record ListenerRetried(string Name, ImmutableArray<string> Settings, string? Failure, bool IsUnchanged)
    : ReloadAction(Name, Settings);

/// <summary>A listener keeps its socket and gets another name.</summary>
public sealed record ListenerRenamed(string Name, ImmutableArray<string> Settings, string From) : ReloadAction(Name, Settings);

/// <summary>Settings change on the living socket, or only in the daemon.</summary>
public sealed record ListenerChanged(
    string Name, ImmutableArray<string> Settings, ImmutableArray<(string Setting, TermChange Change)> Changes, ListenerSpec After)
    : ReloadAction(Name, Settings);

/// <summary>A listener gets more sockets, or fewer.</summary>
public sealed record ListenerResharded(string Name, ImmutableArray<string> Settings, RunningListener Former, int Shards)
    : ReloadAction(Name, Settings);

/// <summary>A listener moves to another address.</summary>
public sealed record ListenerMoved(string Name, ImmutableArray<string> Settings, RunningListener Former, ListenAddress At)
    : ReloadAction(Name, Settings);

/// <summary>A listener gets another socket on the same address, in the way that <see cref="PlannedListener.Move"/> says.</summary>
public sealed record ListenerReplaced(string Name, ImmutableArray<string> Settings, PlannedListener Step) : ReloadAction(Name, Settings);

/// <summary>The service stays as it is.</summary>
public sealed record ServiceUnchanged(string Name) : ReloadAction(Name, []);

/// <summary>A new service is started.</summary>
public sealed record ServiceStarted(string Name, int Workers) : ReloadAction(Name, []);

/// <summary>A service is no longer configured; its workers drain.</summary>
public sealed record ServiceStopped(string Name) : ReloadAction(Name, []);

/// <summary>A service gets more workers, or fewer.</summary>
public sealed record ServiceScaled(string Name, int From, int To) : ReloadAction(Name, ["workers"]);

/// <summary>Settings change that no worker has.</summary>
/// <param name="Name">The service.</param>
/// <param name="Settings">The settings.</param>
/// <param name="WithNewWorkers">Whether workers are replaced too: draining workers keep the previous settings.</param>
public sealed record ServiceChanged(string Name, ImmutableArray<string> Settings, bool WithNewWorkers) : ReloadAction(Name, Settings);

/// <summary>The workers of a service are replaced.</summary>
/// <param name="Name">The service.</param>
/// <param name="Settings">The settings that only a new worker gets.</param>
/// <param name="Workers">How many workers.</param>
/// <param name="Strategy">In which order.</param>
/// <param name="IsToRun">False where the service is stopped: its next start uses the new settings.</param>
public sealed record ServiceRolledOut(
    string Name, ImmutableArray<string> Settings, int Workers, RolloutStrategy Strategy, bool IsToRun)
    : ReloadAction(Name, Settings)
{
    /// <summary>Listeners of the service that get another socket.</summary>
    public ImmutableArray<string> NewSockets { get; init; } = [];

    /// <summary>Whether the last roll-out ended between two generations.</summary>
    public bool WasMixed { get; init; }

    /// <summary>Listeners of which each worker gets other shards; if there are some, that is the only reason.</summary>
    public ImmutableArray<string> Reshared { get; init; } = [];
}

/// <summary>The runtime directory stays until the daemon is restarted.</summary>
public sealed record RuntimeDirectoryKept(string Directory) : ReloadAction("", ["runtime_directory"]);

/// <summary>Other users may own what the daemon opens.</summary>
public sealed record TrustedOwnersChanged(ImmutableArray<string> Owners) : ReloadAction("", ["trusted_owners"]);

/// <summary>Another group, or only the daemon's own, reads the control socket.</summary>
public sealed record ControlGroupChanged(string? Group) : ReloadAction("", ["control_group"]);

/// <summary>Other rules of [access.NAME].</summary>
public sealed record AccessChanged(ImmutableArray<string> Rules) : ReloadAction("", ["access"]);

/// <summary>The daemon serves on for another time when it is told to stop.</summary>
public sealed record StopDelayChanged(TimeSpan Delay) : ReloadAction("", ["stop_delay"]);

/// <summary>Metrics are served on another address, for other host names, or only on the control socket.</summary>
public sealed record MetricsChanged(ImmutableArray<string> Settings, string? Address) : ReloadAction("", Settings);
