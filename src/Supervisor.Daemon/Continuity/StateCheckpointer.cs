using System.Buffers;
using System.Diagnostics;
using Serilog;
using Supervisor.Core.State;
using Supervisor.Daemon.Model;
using Supervisor.Linux.Continuity;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;

namespace Supervisor.Daemon.Continuity;

/// <summary>
/// Saves what a successor needs if this daemon dies: the state in a file, and the descriptors in another process. At the end of
/// each turn of the loop it appends what has changed to the journal. When the journal is long, it writes a checkpoint in slices, over
/// many turns. On the loop.
/// </summary>
internal sealed class StateCheckpointer : IDeadline, IDisposable
{
    /// <summary>
    /// Hand-offs are saved later, because one request can pass thousands of sockets, and so is what a worker tells about itself. The
    /// delay is <see cref="LaterShare"/> times the duration of the last such save, which takes at most about 2 % of the loop's time.
    /// </summary>
    private static readonly TimeSpan LeastDelay = TimeSpan.FromSeconds(1);

    /// <summary>How long a turn works at a checkpoint.</summary>
    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(2);

    private const int LaterShare = 50;

    /// <summary>A longer line is not kept in memory for the next one: the configuration, or all listeners.</summary>
    private const int MostLine = 64 * 1024;

    private readonly EventLoop _loop;
    private readonly ListenerTable _table;
    private readonly ServiceTable _services;
    private readonly StateSnapshots _snapshots;
    private readonly CrashSafeDescriptors _descriptors;
    private readonly StateFile _file;
    private readonly StateStore _store;
    private readonly SavedServices _savedServices;
    private readonly SavedListeners _savedListeners;
    private ArrayBufferWriter<byte> _line = new();
    private readonly UnsavedServices _unsavedServices;
    private readonly UnsavedListeners _unsavedListeners;
    private IEnumerator<int>? _checkpoint;
    private ConfigEntry? _config;
    private TimeSpan _laterTook;
    private TimeSpan? _later;
    private bool _needsCheckpoint = true;
    private bool _mayAllHaveChanged = true;
    private bool _isLaterDue;
    private bool _isClosed;

    /// <summary>Begins to save at the end of turns.</summary>
    /// <param name="loop">The loop.</param>
    /// <param name="table">The listeners.</param>
    /// <param name="services">The services.</param>
    /// <param name="snapshots">The state.</param>
    /// <param name="descriptors">Passes descriptors to their holder. The caller owns it.</param>
    /// <param name="stateFile">The path of the state file.</param>
    /// <param name="log">The log.</param>
    public StateCheckpointer(
        EventLoop loop, ListenerTable table, ServiceTable services, StateSnapshots snapshots, CrashSafeDescriptors descriptors,
        string stateFile, ILogger log)
    {
        _loop = loop;
        _table = table;
        _services = services;
        _snapshots = snapshots;
        _descriptors = descriptors;
        _file = new StateFile(stateFile, log);
        _store = new StateStore(descriptors, stateFile);
        _savedServices = new SavedServices(descriptors);
        _savedListeners = new SavedListeners(snapshots, descriptors);
        _unsavedServices = new UnsavedServices(loop, services, _savedServices, SaveLater);
        _unsavedListeners = new UnsavedListeners(table, _savedListeners, SaveLater);
        descriptors.Restarted += () => _needsCheckpoint = true;
        snapshots.Save = () =>
        {
            _mayAllHaveChanged = true;
            _isLaterDue = true;
            Save();
            return !_needsCheckpoint && _file.HasJournal;
        };
        loop.TurnEnded = EndTurn;
        loop.Add(this);
    }

    /// <inheritdoc/>
    public TimeSpan? NextDeadline => _unsavedServices.ConnectionsDue is { } due && !(_later <= due) ? due : _later;

    /// <summary>
    /// Whether a successor finds the state of the previous daemon, which is the present one until something is to be saved: then the
    /// first checkpoint is written in slices too.
    /// </summary>
    public bool IsFormerStateValid { private get; set; }

    /// <summary>A checkpoint in slices continues when this has completed.</summary>
    public Task ContinuesAfter { private get; set; } = Task.CompletedTask;

    /// <summary>Whether something is to be saved at the end of this turn.</summary>
    private bool IsDirty => _needsCheckpoint || _mayAllHaveChanged || _isLaterDue
        || _unsavedServices.Any || _unsavedListeners.Any;

    /// <inheritdoc/>
    public void PassDeadline()
    {
        var begun = _loop.Now;
        if (_unsavedServices.ConnectionsDue <= begun)
        {
            _unsavedServices.AddConnections();
        }

        if (_later <= begun)
        {
            _later = null;
            _isLaterDue = true;
            Save();
            _laterTook = _loop.Now - begun;
        }
        else
        {
            Save();
        }
    }

    /// <summary>Watches the listeners that were added since the last time.</summary>
    public void WatchListeners()
    {
        _unsavedListeners.WatchNew();
        Mark();
    }

    /// <summary>Watches a listener's changes, and saves the listener at the end of this turn.</summary>
    public void Watch(ListenerHandle handle) => _unsavedListeners.Watch(handle);

    /// <summary>Passes a worker's descriptors to the holder at once, before the end of the turn.</summary>
    public void Put(IReadOnlyList<KeyValuePair<string, Native.DescriptorHandle>> descriptors)
    {
        if (_isClosed)
        {
            return;
        }

        _descriptors.Put(descriptors);
        if (descriptors.Count > 0 && DescriptorKey.ServiceName(descriptors[0].Key) is { } name && _services.Find(name) is { } runner)
        {
            _unsavedServices.Add(runner);
        }
    }

    /// <summary>Something changed, maybe any listener or the configuration.</summary>
    public void Mark() => _mayAllHaveChanged = true;

    /// <summary>The files were removed: writes the whole state again.</summary>
    public void Rewrite()
    {
        _needsCheckpoint = true;
        Mark();
        Save();
    }

    /// <summary>Saves what has changed.</summary>
    public void Save()
    {
        if (_isClosed || !IsDirty)
        {
            return;
        }

        if (_needsCheckpoint)
        {
            WriteCheckpoint();
            return;
        }

        if (_checkpoint is not null && !_file.HasJournal)
        {
            // The first one: the journal of this daemon counts when that is complete.
            Advance(TimeSpan.MaxValue);
            if (_needsCheckpoint)
            {
                return;
            }
        }

        _snapshots.Write(_line, Collect());
        var isSaved = _file.Append(_line.WrittenSpan);
        if (_line.Capacity > MostLine)
        {
            _line = new ArrayBufferWriter<byte>();
        }

        if (!isSaved)
        {
            EndCheckpoint();
            _needsCheckpoint = true;
            return;
        }

        _descriptors.DropOthers();
        if (_checkpoint is null && _file.IsJournalFull && _file.Begin() is { } stream)
        {
            _checkpoint = Parts(stream, _savedListeners.Entries([.. _table.Handles])).GetEnumerator();
        }
    }

    /// <summary>The daemon exits regularly: removes the state, and makes the holder close everything.</summary>
    public void Close()
    {
        _isClosed = true;
        _file.Remove();
        _descriptors.Close();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _loop.TurnEnded = null;
        _loop.Remove(this);
        EndCheckpoint();
        _store.Dispose();
        _file.Dispose();
    }

    private void EndTurn()
    {
        if (_loop.HasAnswers)
        {
            // What a client learns now, a successor has to know.
            _unsavedServices.AddConnections();
        }

        Save();
        if (_checkpoint is not null && ContinuesAfter.IsCompleted)
        {
            Continue();
        }
    }

    /// <summary>Writes a whole checkpoint at once: the first one, or after a line could not be written.</summary>
    private void WriteCheckpoint()
    {
        EndCheckpoint();
        Clear();
        _savedServices.Clear();
        _savedListeners.Clear();
        _descriptors.Disown();
        _descriptors.Bring("", _snapshots.OwnSockets());
        foreach (var runner in _services)
        {
            _savedServices.Change(runner);
        }

        _savedListeners.Order(_table.Handles);
        _config = _snapshots.Config();
        if (_file.Begin() is { } stream)
        {
            // The holder gets the sockets of a listener when that is written: both are done in slices, and the state counts at the end.
            _checkpoint = Parts(stream, _savedListeners.Add(_table)).GetEnumerator();
            _needsCheckpoint = false;
            Advance(IsFormerStateValid && _file.IsThere ? Slice : TimeSpan.MaxValue);
            IsFormerStateValid = false;
        }
        else
        {
            _savedListeners.AddOthers(_table);
        }
    }

    private IEnumerable<int> Parts(Stream stream, IEnumerable<ListenerEntry> listeners) =>
        _snapshots.WriteInParts(stream, listeners, _savedServices.Entries([.. _services]));

    /// <summary>Writes a slice of the checkpoint, and asks for another turn if that was not all.</summary>
    private void Continue()
    {
        Advance(Slice);
        if (_checkpoint is not null)
        {
            _loop.Post(static () => { });
        }
    }

    private void Advance(TimeSpan most)
    {
        var begun = Stopwatch.GetTimestamp();
        try
        {
            while (_checkpoint!.MoveNext())
            {
                if (Stopwatch.GetElapsedTime(begun) > most)
                {
                    return;
                }
            }
        }
        catch (IOException refused)
        {
            _file.Fail(refused.Message);
            EndCheckpoint();
            _savedListeners.AddOthers(_table);
            _needsCheckpoint = true;
            return;
        }

        EndCheckpoint();
        _needsCheckpoint = !_file.Commit();
        if (!_needsCheckpoint)
        {
            _store.Put(_file.Journal!);
            _descriptors.DropOthers();
        }
    }

    private void EndCheckpoint()
    {
        _checkpoint?.Dispose();
        _checkpoint = null;
    }

    private void Clear()
    {
        (_mayAllHaveChanged, _isLaterDue) = (false, false);
        _unsavedServices.Clear();
        _unsavedListeners.Clear();
        _later = null;
    }

    /// <summary>Collects what has changed. The holder gets a descriptor before the state names it, and keeps it while the state does.</summary>
    private StateChanges Collect()
    {
        _unsavedServices.AddConnections();
        if (_isLaterDue)
        {
            _unsavedServices.AddNoted();
        }

        var writtenConfig = _config;
        var removed = _mayAllHaveChanged ? _unsavedListeners.TakeRemoved() : [];
        var config = _mayAllHaveChanged ? ChangedConfig() : null;
        var listeners = _unsavedListeners.TakeChanges(_mayAllHaveChanged, withHandOffs: _isLaterDue);
        var changes = new StateChanges
        {
            Clock = _loop.Origin,
            Config = config,
            WrittenConfig = writtenConfig,
            ListenerOrder = _mayAllHaveChanged ? _savedListeners.Order(_table.Handles) : null,
            RemovedListeners = removed,
            Listeners = listeners,
            RemovedServices = _unsavedServices.TakeRemoved(),
            Services = _unsavedServices.TakeChanges(),
        };
        (_mayAllHaveChanged, _isLaterDue) = (false, false);
        return changes;
    }

    private ConfigEntry? ChangedConfig()
    {
        // Equal parts are the same objects: a reload keeps them.
        var config = _snapshots.Config();
        return config == _config ? null : _config = config;
    }

    private void SaveLater()
    {
        var delay = _laterTook * LaterShare;
        _later ??= _loop.Now + (delay > LeastDelay ? delay : LeastDelay);
    }
}
