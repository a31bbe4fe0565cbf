
namespace Supervisor.Daemon.Control;

/// <summary>Of a connection: whether it has been asked anything yet. A feature of it, which its requests have too.</summary>
internal sealed class FirstRequest(ControlConnections connections)
{
    private int _isHeard;

    /// <summary>It has, or is gone; counts once.</summary>
    public void Hear()
    {
        if (Interlocked.Exchange(ref _isHeard, 1) == 0)
        {
            connections.Hear();
        }
    }
}
