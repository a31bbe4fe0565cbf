using Supervisor.Core.State;
using Supervisor.Daemon.Model;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;

namespace Supervisor.Daemon.Continuity;

/// <summary>What the saved state has of the listeners. Passes their sockets to the holder. On the loop.</summary>
/// <param name="snapshots">The state.</param>
/// <param name="descriptors">Passes descriptors to their holder.</param>
internal sealed class SavedListeners(StateSnapshots snapshots, CrashSafeDescriptors descriptors)
{
    private readonly Dictionary<ListenerHandle, Saved> _saved = [];
    private List<string> _names = [];

    /// <summary>The saved part of a listener.</summary>
    /// <param name="Name">Its name.</param>
    /// <param name="Fingerprint"><see cref="ListenerSnapshot.Fingerprint"/>.</param>
    /// <param name="Count">How many entries its history has had.</param>
    private readonly record struct Saved(string Name, int Fingerprint, long Count);

    /// <summary>What has changed of a listener: its entry or only its history. Its new sockets get to the holder at once.</summary>
    public ListenerChange Change(ListenerHandle handle, bool isHistoryOnly)
    {
        var isKnown = _saved.TryGetValue(handle, out var saved);
        var hasEntry = !isKnown || !isHistoryOnly;
        if (hasEntry)
        {
            Add(handle);
        }
        else
        {
            _saved[handle] = saved with { Count = handle.History.Count };
        }

        if (!isKnown)
        {
            _names.Add(handle.Name);
        }

        var history = handle.History;
        return new ListenerChange(
            handle.Name, hasEntry ? snapshots.WithoutHistory(handle) : null, history.Created, history.Count, history.After(saved.Count));
    }

    /// <summary>
    /// The listeners of a checkpoint that has all of them, as far as they are still there when they are asked for. Their new sockets get
    /// to the holder then.
    /// </summary>
    public IEnumerable<ListenerEntry> Add(ListenerTable table)
    {
        foreach (var handle in table.Handles.ToArray())
        {
            if (ReferenceEquals(table.Find(handle.Name), handle))
            {
                Add(handle);
                yield return snapshots.Of(handle);
            }
        }
    }

    /// <summary>Passes the sockets of the listeners that no checkpoint has got to the holder: the state cannot be written.</summary>
    public void AddOthers(ListenerTable table)
    {
        foreach (var handle in table.Handles.Where(handle => !_saved.ContainsKey(handle)))
        {
            Add(handle);
        }
    }

    private void Add(ListenerHandle handle)
    {
        var outgoing = new OutgoingDescriptors();
        ListenerSnapshot.AddSockets(handle, outgoing);
        descriptors.Bring(DescriptorKey.Listener(handle.Name), outgoing);
        _saved[handle] = new Saved(handle.Name, snapshots.Fingerprint(handle), handle.History.Count);
    }

    /// <summary>Whether something has changed that the listener's history does not record.</summary>
    public bool IsOutdated(ListenerHandle handle) =>
        !_saved.TryGetValue(handle, out var saved) || saved.Fingerprint != snapshots.Fingerprint(handle)
            || saved.Count != handle.History.Count;

    /// <summary>
    /// Removes the listeners that are not there any more, or that have another name, with their sockets; returns them with their names.
    /// </summary>
    public IReadOnlyList<(ListenerHandle Handle, string Name)> RemoveOthers(IReadOnlyList<ListenerHandle> handles)
    {
        var present = handles.ToHashSet();
        var gone = _saved.Where(pair => !present.Contains(pair.Key) || pair.Key.Name != pair.Value.Name)
            .Select(pair => (pair.Key, pair.Value.Name)).ToArray();
        if (gone.Length > 0)
        {
            var goneNames = gone.Select(one => one.Name).ToHashSet(StringComparer.Ordinal);
            _names.RemoveAll(goneNames.Contains);
            goneNames.ExceptWith(handles.Select(handle => handle.Name));
            foreach (var name in goneNames)
            {
                descriptors.Bring(DescriptorKey.Listener(name), new OutgoingDescriptors());
            }
        }

        foreach (var (handle, _) in gone)
        {
            _saved.Remove(handle);
        }

        return gone;
    }

    /// <summary>
    /// The names of the listeners in their order, if the journal would not give them that order by itself: new ones follow the others.
    /// </summary>
    public IReadOnlyList<string>? Order(IReadOnlyList<ListenerHandle> handles)
    {
        var names = handles.Select(handle => handle.Name);
        if (names.SequenceEqual(_names))
        {
            return null;
        }

        return _names = [.. names];
    }

    /// <summary>Forgets everything: the holder has to get all sockets again.</summary>
    public void Clear()
    {
        _saved.Clear();
        _names.Clear();
    }

    /// <summary>The listeners that are still there when they are asked for.</summary>
    public IEnumerable<ListenerEntry> Entries(IReadOnlyList<ListenerHandle> handles)
    {
        foreach (var handle in handles)
        {
            if (_saved.ContainsKey(handle))
            {
                yield return snapshots.Of(handle);
            }
        }
    }
}
