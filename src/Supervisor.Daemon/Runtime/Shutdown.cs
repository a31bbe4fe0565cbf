using System.Runtime.InteropServices;
using Serilog;
using Supervisor.Core;
using Supervisor.Daemon.Model;
using Supervisor.Daemon.Reports;
using Supervisor.Linux;
using Supervisor.Linux.Kernel;

namespace Supervisor.Daemon.Runtime;

/// <summary>What a shutdown asks for and does outside of it.</summary>
/// <param name="AskIfRestart">Asks whether systemd stops the daemon in order to start it again, and calls the argument on the loop;
/// null if systemd does not hold the descriptors.</param>
/// <param name="Delay">For how long the daemon serves on before it stops its workers: <c>daemon.stop_delay</c>.</param>
/// <param name="LeaveToSuccessor">Saves everything and exits; the workers continue.</param>
/// <param name="StopLoop">Ends the loop.</param>
internal sealed record ShutdownActions(
    Action<Action<bool>>? AskIfRestart, Func<TimeSpan> Delay, Action LeaveToSuccessor, Action StopLoop);

/// <summary>
/// Shuts the daemon down: SIGTERM or SIGINT lets the workers drain, one more kills them. With <c>daemon.stop_delay</c> the first signal
/// only makes the daemon not ready; the workers drain when the delay or a second signal ends it. At a restart by systemd the workers
/// continue, and the next daemon recovers as after a crash. On the loop, of which it is a deadline.
/// </summary>
internal sealed class Shutdown(
    EventLoop loop, Lifecycle lifecycle, IStoppableServices services, EventLog events, SystemdNotify systemd, ShutdownActions actions,
    ILogger log) : IDeadline
{
    /// <summary>Whether the daemon shuts down because there is nothing to serve.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>When the delay ends; null without a delay.</summary>
    public TimeSpan? NextDeadline { get; private set; }

    /// <summary>SIGTERM or SIGINT.</summary>
    public void OnSignal(PosixSignal signal)
    {
        if (signal == PosixSignal.SIGTERM && actions.AskIfRestart is { } ask && !lifecycle.IsStopRequested)
        {
            ask(isRestart =>
            {
                if (isRestart)
                {
                    LeaveToSuccessor();
                }
                else
                {
                    Stop(signal.ToString());
                }
            });
            return;
        }

        Stop(signal.ToString());
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

    /// <summary>The delay is over.</summary>
    public void PassDeadline()
    {
        Drain("stop_delay is over");
    }

    private void Stop(string signal)
    {
        if (lifecycle.IsShuttingDown)
        {
            log.Kind(MessageIds.DaemonStopForced).Warning("{Signal} again: killing the remaining workers", signal);
            services.KillAll();
            return;
        }

        if (lifecycle.IsStopRequested)
        {
            Drain($"{signal} again");
            return;
        }

        var delay = actions.Delay();
        lifecycle.RequestStop(new StopRequest(loop.Time.GetUtcNow(), delay));
        systemd.Stopping();
        if (delay == TimeSpan.Zero)
        {
            Drain(signal);
            return;
        }

        // The unit's TimeoutStopSec= may be shorter.
        systemd.ExtendTimeout(delay + services.LongestStop);
        NextDeadline = loop.Now + delay;
        var text = $"{signal}: not ready from now on; workers drain in {Duration.Format(delay)}, then listend exits";
        log.Kind(MessageIds.DaemonStopDelayed).Information("{Message}", text);
        events.Daemon("daemon-leaving", text);
    }

    private void Drain(string cause)
    {
        log.Kind(MessageIds.DaemonStopping).Information("{Cause}: workers drain, then listend exits", cause);
        events.Daemon("daemon-leaving", $"{cause}: workers drain, then listend exits");
        StopServices();
    }

    private void StopServices()
    {
        NextDeadline = null;
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
