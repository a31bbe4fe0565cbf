namespace Supervisor.Core.Listeners.Conflicts;

/// <summary>The state of a socket with a port, as far as bind()'s conflict rules distinguish it.</summary>
public enum BoundState
{
    /// <summary>
    /// Only bound: TCP_CLOSE with a port; sock_diag shows it as BOUND_INACTIVE since Linux 6.8. Also every unconnected UDP
    /// socket.
    /// </summary>
    Bound,

    /// <summary>TCP_LISTEN.</summary>
    Listening,

    /// <summary>Any state of an open connection, also an outgoing one. Also a connected UDP socket.</summary>
    Connected,

    /// <summary>TCP_TIME_WAIT: the connection is closed, and its port is not free yet.</summary>
    TimeWait,
}
