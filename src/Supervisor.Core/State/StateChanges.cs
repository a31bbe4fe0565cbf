using Supervisor.Core.Listeners.History;

namespace Supervisor.Core.State;

/// <summary>What has changed since the last line of the state's journal; <see cref="JournalFormat"/> writes it as the next line.</summary>
public sealed record StateChanges
{
    /// <summary><see cref="DaemonManifest.Clock"/>.</summary>
    public required long Clock { get; init; }

    /// <summary>The configuration; null if it has not changed.</summary>
    public ConfigEntry? Config { get; init; }

    /// <summary>The configuration as the journal has it. What has not changed in <see cref="Config"/> is the same object there.</summary>
    public ConfigEntry? WrittenConfig { get; init; }

    /// <summary>The names of all listeners in their order; null if new ones follow the others, which have kept their order.</summary>
    public IReadOnlyList<string>? ListenerOrder { get; init; }

    /// <summary>The names of the listeners that were removed.</summary>
    public IReadOnlyList<string> RemovedListeners { get; init; } = [];

    /// <summary>The changed listeners.</summary>
    public IReadOnlyList<ListenerChange> Listeners { get; init; } = [];

    /// <summary>The changed services.</summary>
    public IReadOnlyList<ServiceChange> Services { get; init; } = [];

    /// <summary>The names of the services that were removed.</summary>
    public IReadOnlyList<string> RemovedServices { get; init; } = [];
}

/// <summary>A change of a service.</summary>
/// <param name="Entry">The service.</param>
/// <param name="Written">The service as the journal has it; null if the journal does not have it.</param>
public readonly record struct ServiceChange(ServiceEntry Entry, ServiceEntry? Written);

/// <summary>A change of a listener.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Entry">The listener without its history; null if only the history has changed.</param>
/// <param name="Created"><see cref="HistorySnapshot.Created"/>.</param>
/// <param name="Count"><see cref="HistorySnapshot.Count"/>.</param>
/// <param name="Added">The new entries of its history.</param>
public readonly record struct ListenerChange(
    string Name, ListenerEntry? Entry, long Created, long Count, IReadOnlyCollection<HistoryEntry> Added);
