using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Continuity;

/// <summary>
/// The services of which only processes of connections are not saved yet. Most of these exit before <see cref="Delay"/>, and a journal
/// entry of each costs more than its accept() and clone() (bench "per-connection"). On the loop.
/// </summary>
internal sealed class UnsavedConnections
{
    /// <summary>How long the process of a connection is not saved.</summary>
    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(200);

    private readonly HashSet<ServiceRunner> _services = [];

    /// <summary>When they are saved at the latest, on the loop's clock; null if there are none.</summary>
    public TimeSpan? Due { get; private set; }

    /// <summary>A service has such a process.</summary>
    public void Add(ServiceRunner service, TimeSpan now)
    {
        if (_services.Add(service))
        {
            Due ??= now + Delay;
        }
    }

    /// <summary>A service is gone.</summary>
    public void Remove(ServiceRunner service) => _services.Remove(service);

    /// <summary>Moves them to the services that are saved.</summary>
    public void MoveTo(HashSet<ServiceRunner> services)
    {
        services.UnionWith(_services);
        Clear();
    }

    /// <summary>Forgets them: the whole state is saved, or none.</summary>
    public void Clear()
    {
        _services.Clear();
        Due = null;
    }
}
