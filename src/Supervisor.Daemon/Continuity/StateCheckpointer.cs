using Serilog;
using Supervisor.Core;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Services;
using Supervisor.Core.State;
using Supervisor.Daemon.Control;
using Supervisor.Daemon.Runtime;
using Supervisor.Linux;
using Supervisor.Linux.Continuity;
using Supervisor.Linux.Handoff;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Workers;
using Supervisor.Native;

namespace Supervisor.Daemon.Continuity;

/// <summary>
/// Sees to it that a successor finds everything if this daemon ends without a word: the state in a file, the descriptors
/// with systemd's store or a keeper. At the end of each turn of the loop in which something changed; nothing at rest.
/// </summary>
internal sealed class StateCheckpointer : IDeadline, IDisposable
{
    private static readonly TimeSpan KeeperMustLive = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Who was handed a socket is told to a successor a moment later, since one request can pass thousands; and no sooner
    /// than leaves the loop 49 parts of 50 for other work.
    /// </summary>
    private static readonly TimeSpan HandoffsMayWait = TimeSpan.FromSeconds(1);

    private const int HandoffShare = 50;

    private readonly DaemonProcess _daemon;
    private readonly ConflictWatch _conflicts;
    private readonly ControlServer _control;
    private readonly Broker _broker;
    private readonly ILogger _log;
    private readonly HeldDescriptors _held = new();
    private readonly HeldDescriptors _heldListeners = new();
    private readonly StateFile _file;
    private readonly SystemdStore? _store = SystemdStore.FromEnvironment();
    private readonly Dictionary<ServiceRunner, ServiceState> _saved = [];
    private readonly HashSet<object> _watched = [];
    private Action<ListenerHandle, HistoryFact>? _recorded;
    private readonly ListenerSegment _listeners = new();
    private FdHolder? _keeper;
    private TimeSpan _keeperSince;
    private DescriptorHandle? _stored;
    private TimeSpan _writing;
    private bool _isDirty = true;
    private bool _hasListenersChanged = true;
    private bool _isOver;

    /// <summary>Begins; what a predecessor's holder has is taken over with it.</summary>
    public StateCheckpointer(DaemonProcess daemon, ConflictWatch conflicts, ControlServer control, Broker broker, PreviousDaemonState? predecessor, ILogger log)
    {
        _daemon = daemon;
        _conflicts = conflicts;
        _control = control;
        _broker = broker;
        _log = log;
        _file = new StateFile(daemon.Paths.StateFile, log);
        var link = predecessor?.Descriptors.Take(DescriptorKey.FdHolder);
        if (_store is not null)
        {
            if (link is not null)
            {
                using var keeper = FdHolder.Adopt(daemon.Loop, link, log);
                keeper.Dismiss(daemon.Paths.KeeperSocket);
            }

            Use(_store, predecessor?.Keys ?? []);
        }
        else if (link is not null)
        {
            Begin(FdHolder.Adopt(daemon.Loop, link, log), predecessor!.Keys);
        }
        else if (Processes.CurrentPid != 1)
        {
            StartKeeper();
        }

        daemon.Loop.TurnEnded = Save;
        daemon.Loop.Add(this);
    }

    /// <summary>The link to the keeper, for a successor in the same process; null where there is none.</summary>
    public DescriptorHandle? Link => _keeper?.Link;

    /// <summary>The keeper's process id; 0 where a predecessor started it, or none is there.</summary>
    public int KeeperPid => _keeper?.Pid ?? 0;

    /// <summary>Whether systemd holds the descriptors, and so is who restarts the daemon.</summary>
    public bool IsSystemd => _store is not null;

    /// <summary>What would be lost if the daemon died now, for people; null where nothing would.</summary>
    public string? WouldBeLost => Processes.CurrentPid == 1 ? null
        : _held.Holder is null ? "nobody keeps the listeners and the workers' output for the case that the daemon dies"
        : _held.Missing.Count + _heldListeners.Missing.Count > 0 ? $"not kept for the case that the daemon dies: {string.Join(", ", _heldListeners.Missing.Concat(_held.Missing).Take(5))}"
        : null;

    /// <inheritdoc/>
    public TimeSpan? NextDeadline { get; private set; }

    /// <inheritdoc/>
    public void PassDeadline() => Mark();

    /// <summary>Watches a listener's changes.</summary>
    public void Watch(ListenerHandle handle)
    {
        if (_watched.Add(handle))
        {
            handle.Recorded += _recorded ??= Recorded;
        }
    }

    private void Recorded(ListenerHandle handle, HistoryFact fact)
    {
        if (fact.Phase == HandlePhase.Handoff)
        {
            NextDeadline ??= _daemon.Loop.Now + (_writing * HandoffShare > HandoffsMayWait ? _writing * HandoffShare : HandoffsMayWait);
        }
        else
        {
            Mark();
        }
    }

    /// <summary>Watches what a reload has added, too.</summary>
    public void WatchAll()
    {
        foreach (var handle in _daemon.Listeners.Handles)
        {
            Watch(handle);
        }

        foreach (var runner in _daemon.Services)
        {
            Watch(runner);
        }

        Mark();
    }

    /// <summary>Watches a service's changes, but for signs of life, which are no news to a successor.</summary>
    public void Watch(ServiceRunner runner)
    {
        if (!_watched.Add(runner))
        {
            return;
        }

        runner.Changed += (_, reports) =>
        {
            if (_isDirty || !reports.IsEmpty || !_saved.TryGetValue(runner, out var saved) || !IsSame(saved, runner.State))
            {
                _isDirty = true;
            }
        };
    }

    /// <summary>Has a worker's descriptors kept at once, before the end of the turn.</summary>
    public void Put(IReadOnlyList<KeyValuePair<string, DescriptorHandle>> descriptors)
    {
        if (!_isOver)
        {
            _held.Put(descriptors);
            _isDirty = true;
        }
    }

    /// <summary>Something changed, which may be a listener.</summary>
    public void Mark()
    {
        _isDirty = true;
        _hasListenersChanged = true;
    }

    /// <summary>Saves what has changed. On the loop.</summary>
    public void Save()
    {
        if (!_isDirty || _isOver)
        {
            return;
        }

        _isDirty = false;
        if (_hasListenersChanged)
        {
            // What a worker does changes none of them, and there can be thousands.
            var begun = _daemon.Loop.Now;
            var sockets = new OutgoingDescriptors();
            _listeners.Write(DaemonState.Listeners(_daemon, _conflicts, sockets), _daemon.Unknown);
            _heldListeners.Bring(Outliving(sockets));
            _hasListenersChanged = false;
            NextDeadline = null;
            _writing = _daemon.Loop.Now - begun;
        }

        var descriptors = new OutgoingDescriptors();
        descriptors.Add(DescriptorKey.Control, _control.Listener);
        descriptors.Add(DescriptorKey.Broker, _broker.Listener);
        var manifest = DaemonState.Of(_daemon, [], descriptors, withStreams: false);
        var wanted = Outliving(descriptors);
        if (_store is not null && Succession.SealedMemory("listend-state", Write, out _) is { } memory)
        {
            // The file is the first that a successor asks; a runtime directory that systemd has cleared has none.
            _held.Bring(wanted.Append(new(DescriptorKey.State, memory)));
            _stored?.Dispose();
            _stored = memory;
        }
        else
        {
            _held.Bring(wanted);
        }

        // What the state speaks of is held before it does, and for as long.
        _file.Write(Write);
        _heldListeners.DropOthers();
        _held.DropOthers();
        foreach (var runner in _daemon.Services)
        {
            _saved[runner] = runner.State;
        }

        void Write(Stream stream) => ManifestFormat.Write(stream, manifest, _daemon.Unknown, _listeners.CopyTo);
    }

    /// <summary>The daemon leaves in good order: there is nothing for a successor.</summary>
    public void End()
    {
        _isOver = true;
        _file.Remove();
        _keeper?.Dismiss(_daemon.Paths.KeeperSocket);

        // One that has ended by itself, or was killed, has left its socket.
        Files.Unlink(_daemon.Paths.KeeperSocket);
        if (_store is not null)
        {
            _held.DropAll();
            _heldListeners.DropAll();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _daemon.Loop.TurnEnded = null;
        _daemon.Loop.Remove(this);
        _keeper?.Dispose();
        _store?.Dispose();
        _stored?.Dispose();
        _listeners.Dispose();
    }

    private static IEnumerable<KeyValuePair<string, DescriptorHandle>> Outliving(OutgoingDescriptors descriptors) =>
        descriptors.All.Where(pair => DescriptorKey.OutlivesProcess(pair.Key));

    private static bool IsSame(ServiceState saved, ServiceState now) =>
        saved with { Workers = now.Workers } == now
        && saved.Workers.Length == now.Workers.Length
        && saved.Workers.Zip(now.Workers).All(pair => pair.First with { WatchdogDeadline = null } == pair.Second with { WatchdogDeadline = null });

    private void StartKeeper()
    {
        // As the workers have it: by this variable a successor, and whoever cleans up, knows whose it is.
        List<string> environment = [$"LISTEND_BROKER={_daemon.Paths.BrokerSocket}"];
        _keeperSince = _daemon.Loop.Now;
        if (FdHolder.TryStart(_daemon.Loop, _daemon.Paths.KeeperSocket, environment, _log, out var error) is { } keeper)
        {
            Begin(keeper, []);
        }
        else
        {
            _log.Kind(MessageIds.KeeperFailed).Warning("the keeper cannot be started: {Reason}; if listend dies, listeners that no worker holds are lost", error);
        }
    }

    private void Use(IDescriptorHolder? holder, IReadOnlyCollection<string> keys)
    {
        _held.Use(holder, keys.Where(key => DescriptorKey.ListenerName(key) is null));
        _heldListeners.Use(holder, keys.Where(key => DescriptorKey.ListenerName(key) is not null));
    }

    private void Begin(FdHolder keeper, IReadOnlyCollection<string> keys)
    {
        _keeper = keeper;
        Use(keeper, keys);
        keeper.Gone += () =>
        {
            keeper.Dispose();
            _keeper = null;
            Use(null, []);
            if (_daemon.Loop.Now - _keeperSince > KeeperMustLive && !_isOver)
            {
                _log.Kind(MessageIds.KeeperExited).Warning("the keeper has ended; another one is started");
                StartKeeper();
                Mark();
            }
            else if (!_isOver)
            {
                _log.Kind(MessageIds.KeeperExited).Warning("the keeper has ended again; if listend dies, listeners that no worker holds are lost");
            }
        };
    }
}
