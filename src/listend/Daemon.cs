using System.Reflection;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Hosting.Systemd;
using Serilog;
using Supervisor.Config;
using Supervisor.Control;
using Supervisor.Core.Services;
using Supervisor.Daemon.Control;
using Supervisor.Linux;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Workers;
using Supervisor.Native;
using SystemdState = Microsoft.Extensions.Hosting.Systemd.ServiceState;

namespace Supervisor.Daemon;

/// <summary>
/// The composition root: the runtime directory and its lock, the listeners, the services on the loop, the control
/// interface beside it. The main thread is the loop.
/// </summary>
/// <remarks>
/// Order at start: the lock says who is in charge, then the listeners stand, then the control socket, then workers. At
/// the end, workers drain first, while the listeners still queue; the descriptors close last.
/// </remarks>
internal sealed class Daemon : IDisposable
{
    private readonly ListendConfig _config;
    private readonly RuntimePaths _paths;
    private readonly ILogger _log;
    private readonly List<ServiceRunner> _services = [];
    private readonly SystemdNotifier _systemd = new();
    private readonly EventLoop _loop = new(TimeProvider.System);
    private bool _leaving;

    public Daemon(ListendConfig config, RuntimePaths paths, string? configFile, ILogger log)
    {
        _config = config;
        _paths = paths;
        _log = log;
        ConfigFile = configFile;
    }

    /// <summary>The daemon's version.</summary>
    public static string Version { get; } =
        typeof(Daemon).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    public string? ConfigFile { get; }

    public RuntimePaths Paths => _paths;

    public DateTimeOffset StartedAt { get; private set; }

    public EventLoop Loop => _loop;

    public ListenerTable Listeners { get; private set; } = null!;

    public IReadOnlyList<ServiceRunner> Services => _services;

    /// <summary>Runs until it is asked to leave. The exit status: 0, or 1 where nothing could be started.</summary>
    public int Run()
    {
        StartedAt = TimeProvider.System.GetUtcNow();
        using var claim = RuntimeClaim.TryTake(_paths, out var error);
        if (claim is null)
        {
            _log.Fatal("{Error}", error);
            return 1;
        }

        using var orphans = new OrphanReaper(_loop);
        using var spawner = new Spawner(_paths.NotifyDirectory, _paths.BrokerSocket, TimeProvider.System, orphans);
        Listeners = new ListenerTable(new ListenerFactory(TimeProvider.System, _log));
        Listeners.Open(_config.Listeners, _log);
        if (Listeners.Handles.Count > 0 && Listeners.Handles.All(handle => handle.Descriptor is null))
        {
            _log.Fatal("no listener could be made: there is nothing to serve");
            return 1;
        }

        using var control = ControlServer.TryStart(this, _log, out error);
        if (control is null)
        {
            _log.Fatal("{Error}", error);
            Listeners.Close();
            return 1;
        }

        // Metrics are a courtesy: that they cannot be had stops no service.
        using var metrics = _config.Daemon.Metrics is { } address ? MetricsServer.TryStart(this, address, out error) : null;
        if (error is not null)
        {
            _log.Error("{Error}", error);
        }

        foreach (var spec in _config.Services)
        {
            var runner = new ServiceRunner(_loop, spawner, spec, [.. spec.Listeners.Select(name => Listeners.Find(name)!)], _log, orphans);
            _services.Add(runner);
            runner.Changed += (_, _) => LeaveWhenEmpty();
        }

        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        using var hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, OnSignal);
        Processes.ResetChildSignal();

        foreach (var runner in _services)
        {
            runner.Start();
        }

        _systemd.Notify(SystemdState.Ready);
        _log.ForContext("MESSAGE_ID", MessageIds.Daemon).Information(
            "listend {Version} (pid {Pid}): {Listeners} listeners, {Services} services; control socket {Socket}",
            Version, Processes.CurrentPid, Listeners.Handles.Count(handle => handle.Descriptor is not null), _services.Count, _paths.ControlSocket);
        _loop.Run();

        control.Stop();
        foreach (var runner in _services)
        {
            runner.Dispose();
        }

        Listeners.Close();
        _log.ForContext("MESSAGE_ID", MessageIds.Daemon).Information("listend: all workers have left; bye");
        return 0;
    }

    /// <inheritdoc/>
    public void Dispose() => _loop.Dispose();

    private void OnSignal(PosixSignalContext context)
    {
        // Our own way of leaving, not the runtime's.
        context.Cancel = true;
        var signal = context.Signal;
        _loop.Post(() =>
        {
            if (signal == PosixSignal.SIGHUP)
            {
                _log.Warning("SIGHUP: this version of listend does not reload its configuration yet; restart it");
                return;
            }

            Leave(signal);
        });
    }

    private void Leave(PosixSignal signal)
    {
        if (_leaving)
        {
            _log.Warning("{Signal} again: workers that are left are killed", signal.ToString());
            foreach (var runner in _services)
            {
                runner.KillAll();
            }

            return;
        }

        _leaving = true;
        _systemd.Notify(SystemdState.Stopping);
        _log.ForContext("MESSAGE_ID", MessageIds.Daemon).Information("{Signal}: workers drain, then listend leaves", signal.ToString());
        foreach (var runner in _services)
        {
            runner.Post(new StopRequested());
        }

        LeaveWhenEmpty();
    }

    private void LeaveWhenEmpty()
    {
        if (_leaving && _services.All(runner => runner.State is { Wanted: false, Workers.IsEmpty: true }))
        {
            _loop.Stop();
        }
    }
}
