namespace Supervisor.Core.Listeners.Conflicts;

/// <summary>How far a socket that has a port has come, as bind()'s conflict rules tell it apart.</summary>
public enum BoundState
{
    /// <summary>
    /// bind() alone: TCP_CLOSE with a port; shown by sock_diag as BOUND_INACTIVE since Linux 6.8. Every unconnected UDP socket.
    /// </summary>
    Bound,

    /// <summary>TCP_LISTEN.</summary>
    Listening,

    /// <summary>Any state of a connection that is not over, also an outgoing one. A connected UDP socket.</summary>
    Connected,

    /// <summary>TCP_TIME_WAIT: the connection is over, its port not yet free.</summary>
    TimeWait,
}
