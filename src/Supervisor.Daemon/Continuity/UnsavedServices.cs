using Supervisor.Core.State;
using Supervisor.Daemon.Model;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Continuity;

/// <summary>The services of which something is not saved yet. On the loop.</summary>
internal sealed class UnsavedServices
{
    private readonly EventLoop _loop;
    private readonly SavedServices _saved;
    private readonly Action _saveLater;
    private readonly HashSet<ServiceRunner> _present = [];
    private readonly HashSet<ServiceRunner> _changed = [];
    private readonly HashSet<ServiceRunner> _noted = [];
    private readonly UnsavedConnections _connections = new();
    private readonly List<string> _removed = [];

    /// <summary>Begins to watch the services.</summary>
    /// <param name="loop">The loop.</param>
    /// <param name="services">The services.</param>
    /// <param name="saved">What is saved of them.</param>
    /// <param name="saveLater">Called when something may be saved later.</param>
    public UnsavedServices(EventLoop loop, ServiceTable services, SavedServices saved, Action saveLater)
    {
        _loop = loop;
        _saved = saved;
        _saveLater = saveLater;
        services.Added += Watch;
        services.Removed += Forget;
    }

    /// <summary>Whether something is to be saved at the end of this turn.</summary>
    public bool Any => _changed.Count > 0 || _removed.Count > 0;

    /// <summary>When processes of connections are saved at the latest, on the loop's clock; null if there are none.</summary>
    public TimeSpan? ConnectionsDue => _connections.Due;

    /// <summary>Saves a service at the end of this turn.</summary>
    public void Add(ServiceRunner runner) => _changed.Add(runner);

    /// <summary>Saves the processes of connections at the end of this turn.</summary>
    public void AddConnections() => _connections.MoveTo(_changed);

    /// <summary>Saves at the end of this turn what was to be saved later, too.</summary>
    public void AddNoted()
    {
        _changed.UnionWith(_noted);
        _noted.Clear();
    }

    /// <summary>The names of services that are gone. Forgets them.</summary>
    public IReadOnlyList<string> TakeRemoved()
    {
        string[] removed = [.. _removed];
        _removed.Clear();
        return removed;
    }

    /// <summary>What has changed of the services. The holder gets their new descriptors. Forgets the changes.</summary>
    public IReadOnlyList<ServiceChange> TakeChanges()
    {
        ServiceChange[] changes = [.. _changed.Where(_present.Contains).Select(_saved.Change)];
        _changed.Clear();
        return changes;
    }

    /// <summary>Forgets all: the whole state is saved.</summary>
    public void Clear()
    {
        _changed.Clear();
        _noted.Clear();
        _connections.Clear();
        _removed.Clear();
    }

    private void Watch(ServiceRunner runner)
    {
        _present.Add(runner);
        _changed.Add(runner);
        runner.Changed += (_, reports) =>
        {
            var lacks = reports.IsEmpty ? _saved.Lacks(runner) : UnsavedChange.Any;
            if (lacks == UnsavedChange.Any)
            {
                _changed.Add(runner);
            }
            else if (lacks == UnsavedChange.Connections)
            {
                _connections.Add(runner, _loop.Now);
            }
        };
        runner.Snapshot.Noted += isUrgent =>
        {
            if (isUrgent)
            {
                _changed.Add(runner);
            }
            else
            {
                _noted.Add(runner);
                _saveLater();
            }
        };
    }

    private void Forget(ServiceRunner runner)
    {
        _present.Remove(runner);
        _connections.Remove(runner);
        _saved.Remove(runner);
        _removed.Add(runner.Name);
    }
}
