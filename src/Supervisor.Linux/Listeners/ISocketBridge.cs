namespace Supervisor.Linux.Listeners;

/// <summary>Two sockets of one address, of which one is to take the other's place, or to give it back.</summary>
public interface ISocketBridge
{
    /// <summary>The socket that was there.</summary>
    ListenerHandle Former { get; }

    /// <summary>The socket that is to take its place.</summary>
    ListenerHandle Successor { get; }

    /// <summary>Gives new connections to one of the two.</summary>
    void Steer(ListenerHandle target);

    /// <summary>Both are served: gives new connections to both, where that can be.</summary>
    void Share();

    /// <summary>The other one is closed, or about to be.</summary>
    void End(ListenerHandle left);

    /// <summary>
    /// The bridge from the former socket to one that has taken the successor's place, which is closed; null where new
    /// connections cannot be steered between the two.
    /// </summary>
    ISocketBridge? Onto(ListenerHandle successor);
}
