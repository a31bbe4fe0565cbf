using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.State;
using Supervisor.Daemon.Model;
using Supervisor.Linux.Listeners;

namespace Supervisor.Daemon.Continuity;

/// <summary>The listeners of which something is not saved yet. On the loop.</summary>
internal sealed class UnsavedListeners
{
    private readonly ListenerTable _table;
    private readonly SavedListeners _saved;
    private readonly Action _saveLater;
    private readonly Action<ListenerHandle, HistoryFact> _recorded;
    private readonly HashSet<ListenerHandle> _changed = [];
    private readonly HashSet<ListenerHandle> _handedOff = [];
    private readonly HashSet<ListenerHandle> _watched = [];

    /// <summary>Watches no listener yet.</summary>
    /// <param name="table">The listeners.</param>
    /// <param name="saved">What is saved of them.</param>
    /// <param name="saveLater">Called when something may be saved later.</param>
    public UnsavedListeners(ListenerTable table, SavedListeners saved, Action saveLater)
    {
        _table = table;
        _saved = saved;
        _saveLater = saveLater;
        _recorded = Recorded;
    }

    /// <summary>Whether something is to be saved at the end of this turn.</summary>
    public bool Any => _changed.Count > 0;

    /// <summary>Watches a listener's changes, and saves the listener at the end of this turn.</summary>
    public void Watch(ListenerHandle handle)
    {
        _changed.Add(handle);
        if (_watched.Add(handle))
        {
            handle.Recorded += _recorded;
        }
    }

    /// <summary>Watches the listeners that were added since the last time.</summary>
    public void WatchNew()
    {
        foreach (var handle in _table.Handles.Where(handle => !_watched.Contains(handle)))
        {
            Watch(handle);
        }
    }

    /// <summary>The names of saved listeners that are gone.</summary>
    public IReadOnlyList<string> TakeRemoved()
    {
        var names = new List<string>();
        foreach (var (handle, name) in _saved.RemoveOthers(_table.Handles))
        {
            names.Add(name);
            if (!ReferenceEquals(_table.Find(handle.Name), handle) && _watched.Remove(handle))
            {
                handle.Recorded -= _recorded;
            }
        }

        return names;
    }

    /// <summary>What has changed of the listeners. The holder gets their new sockets. Forgets the changes.</summary>
    /// <param name="mayAllHaveChanged">Whether to compare all of them with what is saved.</param>
    /// <param name="withHandOffs">Whether to save the hand-offs, too.</param>
    public IReadOnlyList<ListenerChange> TakeChanges(bool mayAllHaveChanged, bool withHandOffs)
    {
        var changes = new List<ListenerChange>();
        if (mayAllHaveChanged)
        {
            changes.AddRange(_table.Handles.Where(handle => _changed.Contains(handle) || _saved.IsOutdated(handle))
                .Select(handle => _saved.Change(handle, isHistoryOnly: false)));
        }
        else
        {
            Add(_changed, isHistoryOnly: false);
        }

        if (withHandOffs)
        {
            Add(_handedOff, isHistoryOnly: true);
            _handedOff.Clear();
        }

        _changed.Clear();
        return changes;

        // A handle that a reload has made or replaced is not in the table.
        void Add(HashSet<ListenerHandle> handles, bool isHistoryOnly) => changes.AddRange(
            handles.Where(handle => ReferenceEquals(_table.Find(handle.Name), handle))
                .Select(handle => _saved.Change(handle, isHistoryOnly)));
    }

    /// <summary>Forgets all: the whole state is saved.</summary>
    public void Clear()
    {
        _changed.Clear();
        _handedOff.Clear();
    }

    private void Recorded(ListenerHandle handle, HistoryFact fact)
    {
        if (fact.Phase == HandlePhase.Handoff)
        {
            _handedOff.Add(handle);
            _saveLater();
        }
        else
        {
            _changed.Add(handle);
        }
    }
}
