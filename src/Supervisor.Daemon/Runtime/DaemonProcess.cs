using System.Globalization;
using System.Net.Sockets;
using System.Reflection;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Hosting.Systemd;
using Serilog;
using Supervisor.Config;
using Supervisor.Config.Settings;
using Supervisor.Config.Validation;
using Supervisor.Control;
using Supervisor.Core;
using Supervisor.Core.Services;
using Supervisor.Core.State;
using Supervisor.Daemon.Continuity;
using Supervisor.Daemon.Control;
using Supervisor.Daemon.Performance;
using Supervisor.Daemon.Reload;
using Supervisor.Daemon.Validation;
using Supervisor.Linux;
using Supervisor.Linux.Continuity;
using Supervisor.Linux.Evidence;
using Supervisor.Linux.Handoff;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Output;
using Supervisor.Linux.Paths;
using Supervisor.Linux.Workers;
using Supervisor.Native;
using SystemdState = Microsoft.Extensions.Hosting.Systemd.ServiceState;

namespace Supervisor.Daemon.Runtime;

/// <summary>
/// The composition root: the runtime directory and its lock, the listeners, the services on the loop, the control
/// interface beside it. The main thread is the loop.
/// </summary>
/// <remarks>
/// Order at start: the lock says who is in charge, then the listeners stand, then the control socket, then workers. At
/// the end, workers drain first, while the listeners still queue; the descriptors close last.
/// </remarks>
internal sealed class DaemonProcess : IDisposable
{
    private ListendConfig _config;
    private readonly RuntimePaths _paths;
    private readonly ILogger _log;
    private readonly bool _logsToJournal;
    private readonly List<ServiceRunner> _services = [];
    private readonly SystemdNotifier _systemd = new();
    private readonly EventLoop _loop;
    private readonly PreviousDaemonState? _predecessor;
    private readonly Executable _executable;
    private readonly InstanceLock _claim;
    private readonly Action _flushLog;
    private OrphanReaper? _orphans;
    private ServiceDriftWatch? _serviceDrift;
    private Broker? _broker;
    private bool _leaving;
    private bool _failed;
    private MetricsServer? _metrics;

    public DaemonProcess(ListendConfig config, RuntimePaths paths, string? configFile, ILogger log, bool logsToJournal, Action flushLog, Executable executable, InstanceLock claim, PreviousDaemonState? predecessor)
    {
        _claim = claim;
        _predecessor = predecessor;
        _executable = executable;
        _flushLog = flushLog;
        _loop = new EventLoop(TimeProvider.System, predecessor?.Manifest.Clock);
        _logsToJournal = logsToJournal;
        _config = config;
        _paths = paths;
        _log = log;
        ConfigFile = configFile is null ? null : Path.GetFullPath(configFile);
        Events = new EventLog(_loop);
        IdleMemoryTrimmer = new IdleMemoryTrimmer(_loop);
    }

    /// <summary>The daemon's version.</summary>
    public static string Version { get; } =
        typeof(DaemonProcess).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    public string? ConfigFile { get; }

    /// <summary>Reads the configuration again; null until the daemon is up.</summary>
    public Reloader? Reloader { get; private set; }

    /// <summary>The configuration that is in force.</summary>
    public ListendConfig Config => _config;

    /// <summary>What this process was started with, where its predecessor's configuration is another one: applied, once it has gone on by that one.</summary>
    public ConfigResult? Wanted { get; init; }

    /// <summary>How often the daemon has replaced itself.</summary>
    public int Upgrades => _predecessor?.Upgrades ?? 0;

    /// <summary>What a newer predecessor knew and this version does not.</summary>
    public UnknownFields? Unknown => _predecessor?.Unknown;

    /// <summary>Makes the tokens that workers are known by.</summary>
    public WorkerTokens Tokens { get; private set; } = null!;

    /// <summary>What a successor finds if this daemon dies.</summary>
    public StateCheckpointer StateCheckpointer { get; private set; } = null!;

    /// <summary>Its replacement by the executable that is on disk.</summary>
    public Upgrade Upgrade { get; private set; } = null!;

    /// <summary>Its replacement by another process.</summary>
    public Handover Handover { get; private set; } = null!;

    /// <summary>Whether its replacement, one way or the other, has begun and is not decided.</summary>
    public bool IsBeingSucceeded => Upgrade.IsUnderWay || Handover.IsUnderWay;

    public RuntimePaths Paths => _paths;

    /// <summary>Whether the command line says where they are, over <c>daemon.runtime_directory</c>.</summary>
    public bool IsDirectoryGiven { get; init; }

    public DateTimeOffset StartedAt { get; private set; }

    public EventLoop Loop => _loop;

    public ListenerTable Listeners { get; private set; } = null!;

    /// <summary>Who receives and closes what workers and clients send.</summary>
    public Disposer Disposer { get; private set; } = null!;

    /// <summary>What workers change on the sockets that they share.</summary>
    public DriftWatch Drift { get; private set; } = null!;

    public IReadOnlyList<ServiceRunner> Services => _services;

    /// <summary>What has happened.</summary>
    public EventLog Events { get; }

    /// <summary>What is done when there is nothing to do.</summary>
    public IdleMemoryTrimmer IdleMemoryTrimmer { get; }

    /// <summary>Set from the request to leave on: nothing is started any more.</summary>
    public bool IsLeaving => _leaving;

    /// <summary>Runs until it is asked to leave. The exit status: 0, or 1 where nothing could be started.</summary>
    public int Run()
    {
        StartedAt = _predecessor?.Manifest.StartedAt ?? TimeProvider.System.GetUtcNow();
        if (_predecessor?.Manifest.Events is { } stream)
        {
            Events.Restore(stream);
        }

        Events.Daemon(
            _predecessor is null ? "daemon-started" : _predecessor.IsSameProcess ? "daemon-upgraded" : _predecessor.HasYielded ? "daemon-took-over" : "daemon-recovered",
            _predecessor?.Note ?? string.Create(CultureInfo.InvariantCulture, $"listend {Version} started (pid {Processes.CurrentPid})"));
        using var orphans = _orphans = new OrphanReaper(_loop);
        var cgroups = CgroupTree.Find();
        Tokens = new WorkerTokens(_predecessor?.Manifest.TokenMark);
        orphans.IsSpared = pid => pid == StateCheckpointer?.KeeperPid || pid == Disposer.Pid;
        // By this variable a successor, and whoever cleans up, knows whose it is.
        using var disposer = Disposer = new Disposer(_loop, [$"LISTEND_BROKER={_paths.BrokerSocket}"], _log);
        using var spawner = new Spawner(_paths.NotifyDirectory, _paths.BrokerSocket, TimeProvider.System, orphans, cgroups) { Disposer = disposer, Tokens = Tokens };
        using var limit = new LogLimit(_loop, _log);
        var factory = new ListenerFactory(
            TimeProvider.System, _log, limit,
            spec => LeftoverHolders.Of(_config.Services.Where(service => service.Listeners.Contains(spec.Name)).Select(service => service.Name)));
        Listeners = new ListenerTable(factory);
        var owners = UserDirectory.Host.Refresh([.. _config.Listeners.SelectMany(AccountName.OwnersOf)]);
        if (_predecessor is null)
        {
            owners.GetAwaiter().GetResult();
            Listeners.Open(_config.Listeners, disposer, _log);
        }
        else
        {
            Listeners.Restore(_predecessor, _log);
        }

        Listeners.Await(_predecessor?.Manifest.Services.Select(service => service.State.Spec) ?? _config.Services, _log);
        Drift = new DriftWatch(_loop, factory.Repair);
        var serviceDrift = _serviceDrift = new ServiceDriftWatch(Drift);
        using var conflicts = new ConflictWatch(_loop, factory, _log);
        foreach (var handle in Listeners.Handles)
        {
            if (_predecessor is null)
            {
                Events.Watch(handle);
            }
            else
            {
                Events.Follow(handle);
            }

            Drift.RecordTakers(handle);
        }

        if (_predecessor is null && NothingToServe && !Listeners.Handles.Any(ConflictWatch.CanWait))
        {
            _log.Kind(MessageIds.NothingToServe).Fatal("no listener could be made: there is nothing to serve");
            return 1;
        }

        using var control = ControlServer.TryStart(this, _log, Inherited(DescriptorKey.Control, _paths.ControlSocket), out var error);
        if (control is null)
        {
            _log.Kind(MessageIds.ControlFailed).Fatal("{Error}", error);
            Listeners.Close();
            return 1;
        }

        // Metrics are a courtesy: that they cannot be had stops no service.
        ServeMetrics(_config.Daemon).Wait(EvidenceBudget.AtStart);

        ServiceRunner AddService(ServiceSpec spec)
        {
            var runner = new ServiceRunner(_loop, spawner, spec, [.. spec.Listeners.Select(name => Listeners.Find(name)!)], _log, disposer, orphans, _logsToJournal);
            runner.HoldsBack = (worker, ask) => Reloader!.Holds(runner, worker, ask);
            _services.Add(runner);
            serviceDrift.Add(runner);
            runner.Changed += (_, _) =>
            {
                LeaveWhenEmpty();
                Reloader!.ServiceChanged();
            };
            return runner;
        }

        Reloader = new Reloader(this, factory, conflicts, AddService, _log);
        foreach (var spec in _predecessor?.Manifest.Services.Select(service => service.State.Spec) ?? _config.Services)
        {
            AddService(spec);
        }

        for (var i = 0; i < _services.Count; i++)
        {
            // Before events are told: what the predecessor knew is no news.
            if (_predecessor is not null)
            {
                _services[i].Restore(_predecessor.Manifest.Services[i], _predecessor.Descriptors, areChildren: _predecessor.IsSameProcess);
            }

            Events.Watch(_services[i]);
        }

        using var broker = Broker.TryStart(_loop, _paths.BrokerSocket, new BrokerTable(this, _log), disposer, _log, out error, Inherited(DescriptorKey.Broker, _paths.BrokerSocket));
        if (broker is null)
        {
            _log.Kind(MessageIds.ControlFailed).Fatal("{Error}", error);
            control.Stop();
            Listeners.Close();
            return 1;
        }

        broker.TakerDisconnected += handles =>
        {
            foreach (var handle in handles)
            {
                Drift.Check(handle);
            }
        };
        _broker = broker;
        broker.Access.LookUp(Listeners.Handles);
        if (_predecessor is not null)
        {
            broker.Adopt(_predecessor.Descriptors);
        }

        using var safekeeping = StateCheckpointer = new StateCheckpointer(this, conflicts, control, broker, _predecessor, _log);
        spawner.Keeps = safekeeping.Put;
        Upgrade = new Upgrade(this, _executable, orphans, conflicts, control, broker, _claim, Flush, _log);
        Handover = new Handover(this, conflicts, control, broker, _claim, Flush, _log);
        safekeeping.WatchAll();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        using var hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, OnSignal);
        Processes.ResetChildSignal();

        using var stragglers = _predecessor is { IsSameProcess: false }
            ? new OrphanedWorkers(_loop, new WorkerRecovery(_predecessor.Manifest, _paths.BrokerSocket), OfNoWorker, _log)
            : null;
        if (_predecessor is null)
        {
            IdleMemoryTrimmer.BeginStart(_services.Sum(runner => runner.State.Spec.Workers), Listeners.Handles.Count);
            foreach (var runner in _services)
            {
                runner.Activate();
            }
        }
        else
        {
            // Signals that came meanwhile have waited for the handlers.
            Processes.UnblockSignals();
            foreach (var runner in _services)
            {
                runner.Resume();
            }

            // A socket unit passes its own again to each daemon that starts: those are what the listeners have already.
            foreach (var left in _predecessor.Descriptors.Remaining.Where(key => !Listeners.Has(_predecessor.Descriptors.Peek(key)!)))
            {
                _log.Kind(MessageIds.DescriptorClosed).Warning("{Descriptor}: the predecessor has left it, and nobody here knows what it is for; it is closed", left);
            }

            // A worker may have made what was kept of it.
            disposer.Close("predecessor", _predecessor.Descriptors.TakeAll());
        }

        if (_predecessor is { IsSameProcess: false })
        {
            foreach (var left in Directory.EnumerateFiles(_paths.NotifyDirectory).Where(path => !_services.Any(runner => runner.HasNotifySocket(path))).ToArray())
            {
                Files.Unlink(left);
            }
        }

        conflicts.Cleared += StartServicesOf;
        conflicts.GivenUp += _ => LeaveWhenNothingToServe(conflicts);
        foreach (var handle in Listeners.Handles.Where(ConflictWatch.CanWait).ToArray())
        {
            var entry = _predecessor?.Manifest.Listeners.FirstOrDefault(entry => entry.Spec.Name == handle.Name);
            if (entry is null || entry.GivesUp is not null)
            {
                conflicts.Add(handle, entry?.GivesUp);
            }
        }

        safekeeping.Save();
        Tell(SystemdState.Ready);
        SystemdWatchdog.Start(_loop, Environment.GetEnvironmentVariable, () => Tell(new SystemdState("WATCHDOG=1")));
        if (_predecessor is not null)
        {
            _log.Kind(_predecessor.Kind).Information("{Note}: {Workers} workers go on", _predecessor.Note, _services.Sum(runner => runner.State.Workers.Length));
        }

        var bound = Listeners.Handles.Count(handle => handle.Descriptor is not null);
        _log.Kind(MessageIds.DaemonReady).Information(
            "listend {Version} (pid {Pid}): {Listeners} {ListenersWord}, {Services} {ServicesWord}; control socket {Socket}",
            Version, Processes.CurrentPid, bound, bound == 1 ? "listener" : "listeners", _services.Count, _services.Count == 1 ? "service" : "services", _paths.ControlSocket);
        if (ConfigFile is not null && _predecessor is null && (_services.Any(runner => runner.Blocked is not null || runner.Waits is not null) || Listeners.Handles.Any(handle => !handle.Spec.Allow.IsEmpty)))
        {
            _ = Task.Run(TellWhatTheHostLacks);
        }

        if (Wanted is { } wanted)
        {
            _loop.Post(() => Reloader.ApplyAtStart(wanted));
        }

        IdleMemoryTrimmer.Begin(IdleMemoryTrimmer.AfterStart);
        _loop.Add(IdleMemoryTrimmer);
        factory.Evidence.Serve();
        _loop.Run();

        safekeeping.End();
        control.Stop();
        foreach (var runner in _services)
        {
            runner.Dispose();
        }

        orphans.KillLeft(Tokens, (pid, command) => _log.Kind(MessageIds.OrphanKilled).Warning("pid {Pid} ({Command}) came from a worker and outlived it: it is killed", pid, command ?? "?"));
        cgroups?.RemoveLeftOver();
        Reloader.Close();
        Listeners.Close();
        _metrics?.Dispose();
        _log.Kind(MessageIds.DaemonStopped).Information("listend: all workers have left; bye");
        return _failed ? 1 : 0;
    }

    /// <summary>Runs an action as soon as nothing that a worker left behind is being killed: a successor would not know of it.</summary>
    public void WhenSwept(Action action) => _orphans!.WhenSwept(action);

    /// <summary>Which of a dead daemon's processes belong to none of the workers.</summary>
    private IEnumerable<WorkerRecovery.Found> OfNoWorker(IReadOnlyList<WorkerRecovery.Found> found)
    {
        var workers = _services.SelectMany(runner => runner.Facts).ToArray();
        var pids = workers.SelectMany(worker => (int[])[worker.Main, worker.First]).ToHashSet();
        var tokens = workers.Select(worker => worker.Token).Where(token => token.Length > 0).ToHashSet(StringComparer.Ordinal);
        return found.Where(one => !pids.Contains(one.Pid)
            && (one.Token is { } token ? !tokens.Contains(token) : one.NotifyPath is not { } path || !_services.Any(runner => runner.HasNotifySocket(path))));
    }

    /// <summary>A predecessor's socket, if it is still what one finds at its path.</summary>
    private DescriptorHandle? Inherited(string key, string path)
    {
        var descriptor = _predecessor?.Descriptors.Take(key);
        if (descriptor is not null && (Files.GetStatus(path, out var status) is not null || !status.IsSocket))
        {
            descriptor.Dispose();
            return null;
        }

        return descriptor;
    }

    private void Flush()
    {
        foreach (var runner in _services)
        {
            runner.FlushOutput();
        }

        _flushLog();
    }

    private bool NothingToServe => Listeners.Handles.Count > 0 && Listeners.Handles.All(handle => handle.Descriptor is null && !handle.IsAwaited);

    /// <summary>The listener has its socket at last: services that waited for it go on by themselves.</summary>
    public void StartServicesOf(ListenerHandle handle)
    {
        foreach (var runner in _services.Where(runner => !_leaving && runner.Blocked is not null && runner.Listeners.Contains(handle)))
        {
            runner.Activate();
        }
    }

    private void LeaveWhenNothingToServe(ConflictWatch conflicts)
    {
        if (NothingToServe && !conflicts.IsWaiting && !_leaving)
        {
            _log.Kind(MessageIds.NothingToServe).Fatal("no listener could be made: there is nothing to serve");
            _failed = true;
            _leaving = true;
            foreach (var runner in _services)
            {
                runner.Post(new StopRequested());
            }

            LeaveWhenEmpty();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _loop.Dispose();

    /// <summary>Tells whoever started the daemon how it stands. One who does not listen changes nothing for the workers.</summary>
    private void Tell(SystemdState state)
    {
        try
        {
            _systemd.Notify(state);
        }
        catch (SocketException exception)
        {
            _log.Kind(MessageIds.ManagerUnreachable).Warning("NOTIFY_SOCKET {Socket}: nobody could be told there: {Reason}", Environment.GetEnvironmentVariable("NOTIFY_SOCKET"), exception.Message);
        }
    }

    private void OnSignal(PosixSignalContext context)
    {
        // Our own way of leaving, not the runtime's.
        context.Cancel = true;
        var signal = context.Signal;
        _loop.Post(() =>
        {
            if (signal == PosixSignal.SIGHUP)
            {
                Reload();
                return;
            }

            if (signal == PosixSignal.SIGTERM && StateCheckpointer.IsSystemd && !_leaving)
            {
                SystemdJob.AskIfRestart(_loop, _orphans, isRestart =>
                {
                    if (isRestart)
                    {
                        MakeRoom();
                    }
                    else
                    {
                        Leave(signal);
                    }
                });
                return;
            }

            Leave(signal);
        });
    }

    /// <summary>systemd starts another daemon in a moment: workers go on, and it finds everything where a dead one's successor would.</summary>
    private void MakeRoom()
    {
        _log.Kind(MessageIds.DaemonRestarting).Information("SIGTERM for a restart: the workers go on, the next daemon takes over");
        Events.Daemon("daemon-leaving", "SIGTERM for a restart: the workers go on, the next daemon takes over");
        Tell(SystemdState.Stopping);
        StateCheckpointer.Mark();
        StateCheckpointer.Save();
        Flush();
        Processes.ExitNow(0);
    }

    /// <summary>
    /// A start does not wait for the user database, and a service whose user is not there (yet) fails alone. Where its name
    /// stands is said here: the files are read once more, since their trees are not kept. Any thread but the loop.
    /// </summary>
    private void TellWhatTheHostLacks()
    {
        foreach (var error in ConfigLoading.Load(ConfigFile!, Profile.Started, ConfigLoading.Context).Errors)
        {
            _log.Kind(MessageIds.ConfigError).Error("{Error}", error.ToString());
        }
    }

    /// <summary>SIGHUP: the files are read beside the loop, the difference is applied on it; systemd's Type=notify-reload is told.</summary>
    private void Reload()
    {
        if (Reloader is not { } reloader)
        {
            return;
        }

        TellReloading();
        Task.Run(() =>
        {
            var loaded = reloader.Load();
            _loop.Post(() =>
            {
                reloader.Apply(loaded, dryRun: false);
                TellReloaded();
            });
        });
    }

    /// <summary>sd_notify(3): RELOADING=1 comes with the time, and the next READY=1 ends it, whatever came of it.</summary>
    public void TellReloading() =>
        Tell(new SystemdState(string.Create(CultureInfo.InvariantCulture, $"RELOADING=1\nMONOTONIC_USEC={TimeProvider.System.GetTimestamp() / (TimeProvider.System.TimestampFrequency / 1_000_000)}")));

    /// <summary>The end of <see cref="TellReloading"/>.</summary>
    public void TellReloaded()
    {
        if (!_leaving)
        {
            Tell(SystemdState.Ready);
        }
    }

    /// <summary>A reload was applied.</summary>
    public void Reconfigured(ListendConfig config)
    {
        var before = _config.Daemon;
        _config = config;
        PathTrust.InForce = PathAudit.Trust(config.Daemon);
        _broker?.Access.Forget();
        StateCheckpointer.WatchAll();
        if (before.Metrics != config.Daemon.Metrics || !before.MetricsHosts.SequenceEqual(config.Daemon.MetricsHosts))
        {
            _ = ServeMetrics(config.Daemon);
        }
    }

    /// <summary>A service that is not configured any more, and has left.</summary>
    public void Remove(ServiceRunner runner)
    {
        _services.Remove(runner);
        StateCheckpointer.Mark();
        _serviceDrift!.Remove(runner);
        runner.Dispose();
        Events.Daemon("service-removed", $"service {runner.Name} is gone: it is not configured any more");
        LeaveWhenEmpty();
    }

    /// <summary>Metrics are a courtesy: that they cannot be had stops no service. Never on the loop, which answers them.</summary>
    private Task ServeMetrics(DaemonConfig config)
    {
        var former = Interlocked.Exchange(ref _metrics, null);
        return config.Metrics is null && former is null ? Task.CompletedTask : Task.Run(() =>
        {
            former?.Dispose();
            if (config.Metrics is null)
            {
                return;
            }

            _metrics = MetricsServer.TryStart(this, config, out var error);
            if (error is not null)
            {
                _log.Kind(MessageIds.MetricsFailed).Error("{Error}", error);
            }
        });
    }

    private void Leave(PosixSignal signal)
    {
        if (_leaving)
        {
            _log.Kind(MessageIds.DaemonStopForced).Warning("{Signal} again: workers that are left are killed", signal.ToString());
            foreach (var runner in _services)
            {
                runner.KillAll();
            }

            return;
        }

        _leaving = true;
        Tell(SystemdState.Stopping);
        _log.Kind(MessageIds.DaemonStopping).Information("{Signal}: workers drain, then listend leaves", signal.ToString());
        Events.Daemon("daemon-leaving", $"{signal}: workers drain, then listend leaves");
        foreach (var runner in _services)
        {
            runner.Post(new StopRequested());
        }

        LeaveWhenEmpty();
    }

    private void LeaveWhenEmpty()
    {
        if (_leaving && _services.All(runner => runner.IsGone))
        {
            _loop.Stop();
        }
    }
}
