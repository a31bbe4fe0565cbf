namespace Supervisor.Load;

/// <summary>The three ways in which a client uses a listener; each is counted and timed by itself.</summary>
public enum Traffic
{
    /// <summary>A new connection for one request, started at a fixed rate whatever became of the ones before.</summary>
    New,

    /// <summary>Requests on a connection that is kept.</summary>
    KeepAlive,

    /// <summary>A request that the server takes long to answer, on a connection of its own.</summary>
    Slow,
}
