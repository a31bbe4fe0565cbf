
namespace Supervisor.Daemon.Control;

/// <summary>A feature of the connection and its requests: whether the connection has had a request.</summary>
internal sealed class FirstRequest(OnDemandConnections connections)
{
    private int _isCounted;

    /// <summary>Counts the first request, or the end of a connection without one.</summary>
    public void Count()
    {
        if (Interlocked.Exchange(ref _isCounted, 1) == 0)
        {
            connections.CountFirstRequest();
        }
    }
}
