
namespace Supervisor.Daemon.Control;

/// <summary>Whether a connection has had a request; a feature of the connection and its requests.</summary>
internal sealed class FirstRequest(ControlConnections connections)
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
