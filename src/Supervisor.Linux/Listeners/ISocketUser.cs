namespace Supervisor.Linux.Listeners;

/// <summary>
/// A service whose workers share the sockets of listeners with the daemon, as far as <see cref="DriftWatch"/> has to know it.
/// </summary>
internal interface ISocketUser
{
    /// <summary>The service's name.</summary>
    string Name { get; }

    /// <summary>The listeners that it uses.</summary>
    IReadOnlyList<ListenerHandle> Listeners { get; }

    /// <summary>Whether its workers are meant to run.</summary>
    bool IsStarted { get; }

    /// <summary>Its workers that got <paramref name="socket"/> when they were started.</summary>
    IEnumerable<SocketHolderProcess> HoldersOf(ListenerSocket socket);

    /// <summary>Whether the process is one of its workers, or in the session of one.</summary>
    bool Owns(int pid);

    /// <summary>Its worker of that process; null if it has none.</summary>
    SocketHolderProcess? FindWorker(int pid);

    /// <summary>A socket of a steered listener was closed, because its worker had shut it down.</summary>
    void SocketDropped(ListenerSocket socket);

    /// <summary>Replaces the present workers by new ones.</summary>
    void ReplaceWorkers();
}
