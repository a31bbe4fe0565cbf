using System.Globalization;
using System.Net.Sockets;
using Microsoft.Extensions.Hosting.Systemd;
using Serilog;
using Supervisor.Core;
using Supervisor.Daemon.Model;
using Supervisor.Linux;

namespace Supervisor.Daemon.Runtime;

/// <summary>
/// Tells the service manager the state of the daemon, sd_notify(3). A failure does not affect the workers.
/// </summary>
/// <param name="notifier">The service manager.</param>
/// <param name="lifecycle">Whether the daemon shuts down.</param>
/// <param name="time">The clock.</param>
/// <param name="log">The log.</param>
internal sealed class SystemdNotify(ISystemdNotifier notifier, Lifecycle lifecycle, TimeProvider time, ILogger log)
{
    /// <summary>Whether there is a service manager to tell.</summary>
    public bool IsListening => notifier.IsEnabled;

    /// <summary>A line for people, STATUS=. Any thread.</summary>
    public void Status(string line) => Send(new ServiceState($"STATUS={line}"));

    /// <summary>The daemon serves.</summary>
    public void Ready() => Send(ServiceState.Ready);

    /// <summary>The daemon shuts down.</summary>
    public void Stopping() => Send(ServiceState.Stopping);

    /// <summary>The stop takes up to this long from now on, whatever TimeoutStopSec= says.</summary>
    public void ExtendTimeout(TimeSpan time) =>
        Send(new ServiceState(string.Create(CultureInfo.InvariantCulture, $"EXTEND_TIMEOUT_USEC={(long)time.TotalMicroseconds}")));

    /// <summary>The loop runs: WATCHDOG=1.</summary>
    public void Alive() => Send(new ServiceState("WATCHDOG=1"));

    /// <summary>A reload begins. systemd then waits for <see cref="Reloaded"/>, which must follow a failed reload too.</summary>
    public void Reloading()
    {
        var microseconds = time.GetTimestamp() / (time.TimestampFrequency / 1_000_000);
        Send(new ServiceState(string.Create(CultureInfo.InvariantCulture, $"RELOADING=1\nMONOTONIC_USEC={microseconds}")));
    }

    /// <summary>A reload has ended. Not sent after a request to stop, because READY=1 would cancel STOPPING=1.</summary>
    public void Reloaded()
    {
        if (!lifecycle.IsStopRequested)
        {
            Ready();
        }
    }

    private void Send(ServiceState state)
    {
        try
        {
            notifier.Notify(state);
        }
        catch (SocketException exception)
        {
            log.Kind(MessageIds.ManagerUnreachable).Warning(
                "NOTIFY_SOCKET {Socket}: cannot notify the service manager: {Reason}", Environment.GetEnvironmentVariable("NOTIFY_SOCKET"),
                exception.Message);
        }
    }
}
