using Serilog;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Services;
using Supervisor.Daemon.Model;
using Supervisor.Linux.Continuity;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Workers;
using Supervisor.Native;

namespace Supervisor.Daemon.Continuity;

/// <summary>
/// Saves what a successor needs if this daemon dies: the state in a file, and the descriptors in another process. Saves at the end
/// of each turn of the loop in which something has changed. On the loop.
/// </summary>
internal sealed class StateCheckpointer : IDeadline, IDisposable
{
    /// <summary>
    /// Hand-offs are saved later, because one request can pass thousands of sockets. The delay is <see cref="HandoffShare"/> times the
    /// duration of the last save, so saves take at most about 2 % of the loop's time.
    /// </summary>
    private static readonly TimeSpan LeastHandoffDelay = TimeSpan.FromSeconds(1);

    private const int HandoffShare = 50;

    private readonly EventLoop _loop;
    private readonly ListenerTable _table;
    private readonly ServiceTable _services;
    private readonly StateSnapshots _snapshots;
    private readonly CrashSafeDescriptors _descriptors;
    private readonly StateFile _file;
    private readonly Dictionary<ServiceRunner, ServiceState> _saved = [];
    private readonly HashSet<object> _watched = [];
    private readonly ListenerSegment _listeners = new();
    private readonly Action<ListenerHandle, HistoryFact> _recorded;
    private DescriptorHandle? _stored;
    private TimeSpan _listenersTook;
    private bool _isDirty = true;
    private bool _haveListenersChanged = true;
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
        _recorded = Recorded;
        descriptors.Restarted += Mark;
        services.Added += Watch;
        services.Removed += Forget;
        loop.TurnEnded = Save;
        loop.Add(this);
    }

    /// <inheritdoc/>
    public TimeSpan? NextDeadline { get; private set; }

    /// <inheritdoc/>
    public void PassDeadline() => Mark();

    /// <summary>Watches the listeners that were added since the last time.</summary>
    public void WatchListeners()
    {
        foreach (var handle in _table.Handles)
        {
            Watch(handle);
        }

        Mark();
    }

    /// <summary>Watches a listener's changes.</summary>
    public void Watch(ListenerHandle handle)
    {
        if (_watched.Add(handle))
        {
            handle.Recorded += _recorded;
        }
    }

    /// <summary>Passes a worker's descriptors to the holder at once, before the end of the turn.</summary>
    public void Put(IReadOnlyList<KeyValuePair<string, DescriptorHandle>> descriptors)
    {
        if (!_isClosed)
        {
            _descriptors.Put(descriptors);
            _isDirty = true;
        }
    }

    /// <summary>Something changed, maybe a listener.</summary>
    public void Mark()
    {
        _isDirty = true;
        _haveListenersChanged = true;
    }

    /// <summary>Saves what has changed.</summary>
    public void Save()
    {
        if (!_isDirty || _isClosed)
        {
            return;
        }

        _isDirty = false;
        if (_haveListenersChanged)
        {
            SaveListeners();
        }

        var descriptors = new OutgoingDescriptors();
        var manifest = _snapshots.WithoutListeners(descriptors);
        var memory = _descriptors.IsSystemd ? Succession.SealedMemory("listend-state", Write, out _) : null;
        _descriptors.BringOthers(descriptors, memory);
        if (memory is not null)
        {
            _stored?.Dispose();
            _stored = memory;
        }

        // The holder gets a descriptor before the state names it, and keeps it while the state does.
        _file.Write(Write);
        _descriptors.DropOthers();
        foreach (var runner in _services)
        {
            _saved[runner] = runner.State;
        }

        void Write(Stream stream) => _snapshots.Write(stream, manifest, _listeners.CopyTo);
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
        _stored?.Dispose();
        _listeners.Dispose();
    }

    /// <summary>Writes the listeners separately: a worker does not change them, and there can be thousands.</summary>
    private void SaveListeners()
    {
        var begun = _loop.Now;
        var sockets = new OutgoingDescriptors();
        var entries = _snapshots.Listeners(sockets);
        _listeners.Write(stream => _snapshots.WriteListeners(stream, entries));
        _descriptors.BringListeners(sockets);
        _haveListenersChanged = false;
        NextDeadline = null;
        _listenersTook = _loop.Now - begun;
    }

    private void Recorded(ListenerHandle handle, HistoryFact fact)
    {
        if (fact.Phase == HandlePhase.Handoff)
        {
            var delay = _listenersTook * HandoffShare;
            NextDeadline ??= _loop.Now + (delay > LeastHandoffDelay ? delay : LeastHandoffDelay);
        }
        else
        {
            Mark();
        }
    }

    private void Watch(ServiceRunner runner)
    {
        Mark();
        runner.Changed += (_, reports) =>
        {
            _isDirty = _isDirty || !reports.IsEmpty || !_saved.TryGetValue(runner, out var saved) || !IsSame(saved, runner.State);
        };
    }

    private void Forget(ServiceRunner runner)
    {
        _saved.Remove(runner);
        Mark();
    }

    /// <summary>Whether two states differ only in watchdog deadlines, which a successor does not need.</summary>
    private static bool IsSame(ServiceState saved, ServiceState now) =>
        saved with { Workers = now.Workers } == now
        && saved.Workers.Length == now.Workers.Length
        && saved.Workers.Zip(now.Workers)
            .All(pair => pair.First with { WatchdogDeadline = null } == pair.Second with { WatchdogDeadline = null });
}
