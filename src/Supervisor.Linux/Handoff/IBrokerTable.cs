using Supervisor.Core.Listeners.History;
using Supervisor.Core.Protocols;
using Supervisor.Core.Workers;
using Supervisor.Linux.Listeners;
using Supervisor.Native;

namespace Supervisor.Linux.Handoff;

/// <summary>What the broker lends, and what decides to whom. On the loop.</summary>
public interface IBrokerTable
{
    /// <summary>Every handle, configured or given.</summary>
    IReadOnlyList<ListenerHandle> Handles { get; }

    /// <summary>The handle of that name; null where there is none. A client may ask for thousands at once.</summary>
    ListenerHandle? Find(ReadOnlySpan<char> name);

    /// <summary>The service that a process belongs to as a worker or by descent from one, or by a worker's <paramref name="token"/>; null where it belongs to none.</summary>
    BrokerService? ServiceOf(ProcessLineage process, string? token);

    /// <summary>Whether workers of some service run as that user.</summary>
    bool IsWorkerUser(uint uid);

    /// <summary>
    /// Holds a descriptor under a name from now on. Null where it does: the descriptor is its own then. Otherwise the reason,
    /// and the descriptor stays the caller's.
    /// </summary>
    BrokerError? Put(string name, DescriptorHandle descriptor, HistoryActor giver, string note);

    /// <summary>Lets go of what was put under a name; the reason where it does not.</summary>
    BrokerError? Drop(string name);

    /// <summary>
    /// Another listend wants to take this one's place. Null where it may try: then <paramref name="release"/> has been
    /// called, which hands over the connection, on which everything else is said. Otherwise the reason.
    /// </summary>
    BrokerError? Succeed(BrokerPeer peer, Func<DescriptorHandle> release);
}
