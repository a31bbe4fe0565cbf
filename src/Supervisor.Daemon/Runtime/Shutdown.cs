using System.Runtime.InteropServices;
using Serilog;
using Supervisor.Core;
using Supervisor.Daemon.Model;
using Supervisor.Daemon.Reports;
using Supervisor.Linux;

namespace Supervisor.Daemon.Runtime;

/// <summary>The actions at the beginning and at the end of a shutdown.</summary>
/// <param name="AskIfRestart">Asks whether systemd stops the daemon in order to start it again, and calls the argument on the loop;
/// null if systemd does not hold the descriptors.</param>
/// <param name="LeaveToSuccessor">Saves everything and exits; the workers continue.</param>
/// <param name="StopLoop">Ends the loop.</param>
internal sealed record ShutdownActions(Action<Action<bool>>? AskIfRestart, Action LeaveToSuccessor, Action StopLoop);

/// <summary>
/// Shuts the daemon down: the first SIGTERM or SIGINT lets the workers drain, the second one kills them. At a restart by systemd the
/// workers continue, and the next daemon recovers as after a crash. On the loop.
/// </summary>
internal sealed class Shutdown(
    Lifecycle lifecycle, IStoppableServices services, EventLog events, SystemdNotify systemd, ShutdownActions actions, ILogger log)
{
    /// <summary>Whether the daemon shuts down because there is nothing to serve.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>SIGTERM or SIGINT.</summary>
    public void OnSignal(PosixSignal signal)
    {
        if (signal == PosixSignal.SIGTERM && actions.AskIfRestart is { } ask && !lifecycle.IsShuttingDown)
        {
            ask(isRestart =>
            {
                if (isRestart)
                {
                    LeaveToSuccessor();
                }
                else
                {
                    Stop(signal);
                }
            });
            return;
        }

        Stop(signal);
    }

    /// <summary>No listener could be made, and none waits for its address any more.</summary>
    public void BeginBecauseNothingToServe()
    {
        if (lifecycle.IsShuttingDown)
        {
            return;
        }

        log.Kind(MessageIds.NothingToServe).Fatal("no listener could be bound: nothing to serve");
        HasFailed = true;
        StopServices();
    }

    /// <summary>A service has changed: ends the loop when the daemon shuts down and no worker is left.</summary>
    public void ServiceChanged()
    {
        if (lifecycle.IsShuttingDown && services.AreGone)
        {
            actions.StopLoop();
        }
    }

    private void Stop(PosixSignal signal)
    {
        if (lifecycle.IsShuttingDown)
        {
            log.Kind(MessageIds.DaemonStopForced).Warning("{Signal} again: killing the remaining workers", signal.ToString());
            services.KillAll();
            return;
        }

        systemd.Stopping();
        log.Kind(MessageIds.DaemonStopping).Information("{Signal}: workers drain, then listend exits", signal.ToString());
        events.Daemon("daemon-leaving", $"{signal}: workers drain, then listend exits");
        StopServices();
    }

    private void StopServices()
    {
        lifecycle.BeginShutdown();
        services.StopAll();
        ServiceChanged();
    }

    private void LeaveToSuccessor()
    {
        const string message = "SIGTERM for a restart: the workers continue, the next daemon adopts them";
        log.Kind(MessageIds.DaemonRestarting).Information(message);
        events.Daemon("daemon-leaving", message);
        systemd.Stopping();
        actions.LeaveToSuccessor();
    }
}
