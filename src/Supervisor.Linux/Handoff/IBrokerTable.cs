using Supervisor.Core;
using Supervisor.Core.Protocols;
using Supervisor.Core.Workers;
using Supervisor.Linux.Listeners;
using Supervisor.Native;

namespace Supervisor.Linux.Handoff;

/// <summary>The handles that the broker lends, and the facts that decide about access. On the loop.</summary>
public interface IBrokerTable
{
    /// <summary>All handles, configured or given.</summary>
    IReadOnlyList<ListenerHandle> Handles { get; }

    /// <summary>The handle with that name; null if there is none. A client may request thousands at once.</summary>
    ListenerHandle? Find(ReadOnlySpan<char> name);

    /// <summary>
    /// The service of a worker, of a worker's descendant, or of a process with a worker's <paramref name="token"/>; null if
    /// there is none.
    /// </summary>
    BrokerService? ServiceOf(ProcessLineage process, string? token);

    /// <summary>Whether any service's workers run as that user.</summary>
    bool IsWorkerUser(uint uid);

    /// <summary>
    /// Holds a descriptor under a name and takes it over; null. Otherwise the reason, and the caller keeps the descriptor.
    /// </summary>
    BrokerError? Put(string name, DescriptorHandle descriptor, Requester by, string note);

    /// <summary>Closes a descriptor that was put under a name; null, or the reason why not.</summary>
    BrokerError? Drop(string name, Requester by);

    /// <summary>
    /// Another listend asks to take over. Null if it may: then <paramref name="release"/> was called, which hands over the
    /// connection for the rest of the protocol. Otherwise the reason.
    /// </summary>
    BrokerError? Succeed(BrokerPeer peer, Func<DescriptorHandle> release);

    /// <summary>A client has requested what it may not do.</summary>
    /// <param name="what">The request, such as <c>take web</c>.</param>
    /// <param name="missing">What the client lacks.</param>
    /// <param name="listener">The listener that it concerns; null if none.</param>
    /// <param name="by">Who.</param>
    void Denied(string what, string missing, string? listener, Requester by);
}
