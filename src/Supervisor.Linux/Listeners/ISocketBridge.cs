namespace Supervisor.Linux.Listeners;

/// <summary>Two sockets of one address: the successor replaces the former one, or a roll-back undoes that.</summary>
public interface ISocketBridge
{
    /// <summary>The present socket.</summary>
    ListenerHandle Former { get; }

    /// <summary>The socket that replaces it.</summary>
    ListenerHandle Successor { get; }

    /// <summary>Gives new connections to one of the two.</summary>
    void Steer(ListenerHandle target);

    /// <summary>Both are served: gives new connections to both, if that is possible.</summary>
    void Share();

    /// <summary>The other socket is closed, or about to be.</summary>
    void End(ListenerHandle left);

    /// <summary>
    /// The bridge from the former socket to another successor, when the present successor is closed; null if new connections
    /// cannot be steered between the two.
    /// </summary>
    ISocketBridge? Onto(ListenerHandle successor);
}
