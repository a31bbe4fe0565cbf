namespace Supervisor.Load;

/// <summary>The three ways in which a client uses a listener; each has its own counts and times.</summary>
public enum Traffic
{
    /// <summary>A new connection for one request, started at a fixed rate, independent of earlier ones.</summary>
    New,

    /// <summary>Requests on a kept-alive connection.</summary>
    KeepAlive,

    /// <summary>A request with a slow answer, on its own connection.</summary>
    Slow,
}
