using System.Globalization;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Daemon.Runtime;

/// <summary>
/// Sends WATCHDOG=1 to systemd, sd_watchdog_enabled(3), twice in each WatchdogSec=. The loop sends it, so systemd notices a loop
/// that hangs. Without WatchdogSec= in the unit there is no timer.
/// </summary>
internal sealed class SystemdWatchdog : IDeadline
{
    private readonly EventLoop _loop;
    private readonly TimeSpan _interval;
    private readonly Action _tell;

    private SystemdWatchdog(EventLoop loop, TimeSpan interval, Action tell)
    {
        _loop = loop;
        _interval = interval;
        _tell = tell;
        NextDeadline = loop.Now;
    }

    /// <inheritdoc/>
    public TimeSpan? NextDeadline { get; private set; }

    /// <summary>Starts the timer if WATCHDOG_USEC is set and WATCHDOG_PID is not another process.</summary>
    /// <param name="loop">The loop.</param>
    /// <param name="variable">The environment.</param>
    /// <param name="tell">Sends a notification.</param>
    public static void Start(EventLoop loop, Func<string, string?> variable, Action tell)
    {
        if (ulong.TryParse(variable("WATCHDOG_USEC"), NumberStyles.None, CultureInfo.InvariantCulture, out var microseconds)
            && microseconds is > 0 and < (ulong)(TimeSpan.TicksPerDay * 365 / TimeSpan.TicksPerMicrosecond)
            && (variable("WATCHDOG_PID") is not { Length: > 0 } pid || pid == Processes.CurrentPid.ToString(CultureInfo.InvariantCulture)))
        {
            loop.Add(new SystemdWatchdog(loop, TimeSpan.FromMicroseconds(microseconds / 2.0), tell));
        }
    }

    /// <inheritdoc/>
    public void PassDeadline()
    {
        _tell();
        NextDeadline = _loop.Now + _interval;
    }
}
