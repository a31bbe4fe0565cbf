using Serilog;
using Supervisor.Core.Continuity;
using Supervisor.Core.Services;
using Supervisor.Daemon.Control;
using Supervisor.Linux.Continuity;
using Supervisor.Linux.Handoff;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Workers;
using Supervisor.Native;

namespace Supervisor.Daemon.Continuity;

/// <summary>
/// Sees to it that a successor finds everything if this daemon ends without a word: the state in a file, the descriptors
/// with systemd's store or a keeper. At the end of each turn of the loop in which something changed; nothing at rest.
/// </summary>
internal sealed class Safekeeping : IDisposable
{
    private static readonly TimeSpan KeeperMustLive = TimeSpan.FromSeconds(5);

    private readonly Daemon _daemon;
    private readonly ConflictWatch _conflicts;
    private readonly ControlServer _control;
    private readonly Broker _broker;
    private readonly ILogger _log;
    private readonly HeldDescriptors _held = new();
    private readonly StateFile _file;
    private readonly SystemdStore? _store = SystemdStore.FromEnvironment();
    private readonly Dictionary<ServiceRunner, ServiceState> _saved = [];
    private readonly HashSet<object> _watched = [];
    private Keeper? _keeper;
    private TimeSpan _keeperSince;
    private DescriptorHandle? _stored;
    private bool _isDirty = true;
    private bool _isOver;

    /// <summary>Begins; what a predecessor's holder has is taken over with it.</summary>
    public Safekeeping(Daemon daemon, ConflictWatch conflicts, ControlServer control, Broker broker, Predecessor? predecessor, ILogger log)
    {
        _daemon = daemon;
        _conflicts = conflicts;
        _control = control;
        _broker = broker;
        _log = log;
        _file = new StateFile(daemon.Paths.StateFile, log);
        var link = predecessor?.Descriptors.Take(DescriptorKey.Keeper);
        if (_store is not null)
        {
            if (link is not null)
            {
                using var keeper = Keeper.Adopt(daemon.Loop, link, log);
                keeper.Dismiss(daemon.Paths.KeeperSocket);
            }

            _held.Use(_store, predecessor?.Keys ?? []);
        }
        else if (link is not null)
        {
            Use(Keeper.Adopt(daemon.Loop, link, log), predecessor!.Keys);
        }
        else if (Processes.CurrentPid != 1)
        {
            StartKeeper();
        }

        daemon.Loop.TurnEnded = Save;
    }

    /// <summary>The link to the keeper, for a successor in the same process; null where there is none.</summary>
    public DescriptorHandle? Link => _keeper?.Link;

    /// <summary>Whether systemd holds the descriptors, and so is who restarts the daemon.</summary>
    public bool IsSystemd => _store is not null;

    /// <summary>What would be lost if the daemon died now, for people; null where nothing would.</summary>
    public string? WouldBeLost => Processes.CurrentPid == 1 ? null
        : _held.Holder is null ? "nobody keeps the listeners and the workers' output for the case that the daemon dies"
        : _held.Missing.Count > 0 ? $"not kept for the case that the daemon dies: {string.Join(", ", _held.Missing.Take(5))}"
        : null;

    /// <summary>Watches a listener's changes.</summary>
    public void Watch(ListenerHandle handle)
    {
        if (_watched.Add(handle))
        {
            handle.History.Added += _ => _isDirty = true;
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

        _isDirty = true;
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
            if (!reports.IsEmpty || !_saved.TryGetValue(runner, out var saved) || !IsSame(saved, runner.State))
            {
                _isDirty = true;
            }
        };
    }

    /// <summary>Something changed.</summary>
    public void Mark() => _isDirty = true;

    /// <summary>Saves what has changed. On the loop.</summary>
    public void Save()
    {
        if (!_isDirty || _isOver)
        {
            return;
        }

        _isDirty = false;
        var descriptors = new OutgoingDescriptors();
        descriptors.Add(DescriptorKey.Control, _control.Listener);
        descriptors.Add(DescriptorKey.Broker, _broker.Listener);
        var state = ManifestFormat.Write(DaemonState.Of(_daemon, _conflicts, descriptors, withStreams: false), _daemon.Unknown);
        _file.Write(state);
        var wanted = descriptors.All.Where(pair => DescriptorKey.OutlivesProcess(pair.Key));
        if (_store is not null && Succession.SealedMemory("listend-state", state, out _) is { } memory)
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

        foreach (var runner in _daemon.Services)
        {
            _saved[runner] = runner.State;
        }
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
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _daemon.Loop.TurnEnded = null;
        _keeper?.Dispose();
        _store?.Dispose();
        _stored?.Dispose();
    }

    private static bool IsSame(ServiceState saved, ServiceState now) =>
        saved with { Workers = now.Workers } == now
        && saved.Workers.Length == now.Workers.Length
        && saved.Workers.Zip(now.Workers).All(pair => pair.First with { WatchdogDeadline = null } == pair.Second with { WatchdogDeadline = null });

    private void StartKeeper()
    {
        // As the workers have it: by this variable a successor, and whoever cleans up, knows whose it is.
        List<string> environment = [$"LISTEND_BROKER={_daemon.Paths.BrokerSocket}"];
        _keeperSince = _daemon.Loop.Now;
        if (Keeper.TryStart(_daemon.Loop, _daemon.Paths.KeeperSocket, environment, _log, out var error) is { } keeper)
        {
            Use(keeper, []);
        }
        else
        {
            _log.Warning("the keeper cannot be started: {Reason}; if listend dies, listeners that no worker holds are lost", error);
        }
    }

    private void Use(Keeper keeper, IEnumerable<string> keys)
    {
        _keeper = keeper;
        _held.Use(keeper, keys);
        keeper.Gone += () =>
        {
            keeper.Dispose();
            _keeper = null;
            _held.Use(null, []);
            if (_daemon.Loop.Now - _keeperSince > KeeperMustLive && !_isOver)
            {
                _log.Warning("the keeper has ended; another one is started");
                StartKeeper();
                _isDirty = true;
            }
            else if (!_isOver)
            {
                _log.Warning("the keeper has ended again; if listend dies, listeners that no worker holds are lost");
            }
        };
    }
}
