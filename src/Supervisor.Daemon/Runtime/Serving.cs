using System.Runtime.InteropServices;
using Supervisor.Core;
using Supervisor.Daemon.Model;
using Supervisor.Daemon.Performance;
using Supervisor.Linux;
using Supervisor.Native;

namespace Supervisor.Daemon.Runtime;

/// <summary>
/// The last part of every start: the daemon reacts to signals and clients, reports that it is ready, runs its loop, and closes
/// everything in order.
/// </summary>
internal sealed class Serving : IDisposable
{
    private readonly DaemonParts _parts;
    private readonly Endpoints _endpoints;
    private readonly StartRequest _request;
    private readonly Shutdown _shutdown;
    private readonly ReloadRunner _reloads;
    private readonly IdleMemoryTrimmer _trimmer;
    private readonly SystemdStatus _status;
    private readonly IDisposable _signals;

    /// <summary>Connects signals and clients; both wait until the loop runs.</summary>
    public Serving(DaemonParts parts, Endpoints endpoints, StartRequest request)
    {
        _parts = parts;
        _endpoints = endpoints;
        _request = request;
        var actions = new ShutdownActions(
            endpoints.AreHeldBySystemd ? onKnown => request.System.AskIfRestart(parts.Loop, parts.Orphans, onKnown) : null,
            () => parts.Config.Current.Daemon.StopDelay, LeaveToSuccessor, parts.Loop.Stop);
        _shutdown = new Shutdown(parts.Loop, parts.Lifecycle, parts.Services, parts.Events, parts.Systemd, actions, request.Log);
        _reloads = new ReloadRunner(parts.Loop, parts.Reloader.Load, parts.Reloader.Apply, parts.Systemd, request.Log);
        _trimmer = new IdleMemoryTrimmer(parts.Loop);
        _status = new SystemdStatus(parts.Loop, parts.Services, parts.Lifecycle, parts.Systemd);
        parts.Loop.Add(_shutdown);
        parts.Lifecycle.StopRequested += _status.Update;
        parts.ServiceChanged += _ => _shutdown.ServiceChanged();
        parts.ServiceChanged += _status.Update;
        parts.Conflicts.GivenUp += _ =>
        {
            if (parts.HasNothingToServe && !parts.Conflicts.IsWaiting)
            {
                _shutdown.BeginBecauseNothingToServe();
            }
        };
        endpoints.Checkpointer.WatchListeners();
        parts.Interfaces.Update();
        endpoints.Serve(parts, request, _reloads, _trimmer);
        parts.MetricsEndpoint.BecameIdle += () => _trimmer.Begin(IdleMemoryTrimmer.AfterService);
        _signals = request.System.Handle((signal, by) => parts.Loop.Post(() => OnSignal(signal, by)));
    }

    /// <summary>Everything is started: saves the state, then tells the service manager and the log.</summary>
    public void Announce()
    {
        _endpoints.Checkpointer.Save();
        _parts.Systemd.Ready();
        _status.Update();
        SystemdWatchdog.Start(_parts.Loop, _request.System.Variable, _parts.Systemd.Alive);
        var bound = _parts.Listeners.Handles.Count(handle => handle.Descriptor is not null);
        var services = _parts.Services.Count;
        _request.Log.Kind(MessageIds.DaemonReady).Information(
            "listend {Version} (pid {Pid}): {Listeners} {ListenersWord}, {Services} {ServicesWord}; control socket {Socket}",
            DaemonInfo.Version, Processes.CurrentPid, bound, bound == 1 ? "listener" : "listeners",
            services, services == 1 ? "service" : "services", _request.Info.Paths.ControlSocket);
    }

    /// <summary>Runs the loop until the daemon has shut down. The exit status.</summary>
    public int Run()
    {
        _trimmer.Begin(IdleMemoryTrimmer.AfterStart);
        _parts.Loop.Add(_trimmer);
        _parts.Factory.Evidence.Serve();
        StartFault.End();
        _parts.Loop.Run();
        Close();
        return _shutdown.HasFailed ? 1 : 0;
    }

    /// <inheritdoc/>
    public void Dispose() => _signals.Dispose();

    private void OnSignal(PosixSignal signal, Requester? by)
    {
        if (signal == PosixSignal.SIGHUP)
        {
            _endpoints.Files.Restore();
            _ = _reloads.OnSignalAsync(by);
        }
        else
        {
            if (by is not null)
            {
                _parts.Requests.OfDaemon("stop", by);
            }

            _shutdown.OnSignal(signal);
        }
    }

    private void LeaveToSuccessor()
    {
        _endpoints.Checkpointer.Mark();
        _endpoints.Checkpointer.Save();
        _parts.Flush();
        _request.System.Exit();
    }

    /// <summary>Workers have exited: their listeners close last.</summary>
    private void Close()
    {
        _endpoints.Close();
        _parts.Services.Dispose();
        _parts.Orphans.KillLeft(
            _parts.Tokens,
            (pid, command) => _request.Log.Kind(MessageIds.OrphanKilled).Warning(
                "pid {Pid} ({Command}): outlived the worker that started it: sending SIGKILL", pid, command ?? "?"));
        _parts.Cgroups?.RemoveLeftOver();
        _parts.Limited.Close();
        _parts.Reloader.Close();
        _parts.Listeners.Close();
        _request.Log.Kind(MessageIds.DaemonStopped).Information("all workers have exited; listend exits");
    }
}
