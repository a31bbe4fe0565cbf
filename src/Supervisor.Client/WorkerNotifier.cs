using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Supervisor.Client;

/// <summary>
/// Reports the state of this worker to the supervisor, by the notify protocol (sd_notify(3)) over NOTIFY_SOCKET. Without a
/// supervisor every method does nothing. Thread-safe.
/// </summary>
public sealed class WorkerNotifier
{
    private readonly string? _path;

    private WorkerNotifier(string? path, TimeSpan? watchdog)
    {
        _path = path;
        WatchdogInterval = watchdog;
    }

    /// <summary>Whether there is a supervisor.</summary>
    public bool IsSupervised => _path is not null;

    /// <summary>The longest time between two calls of <see cref="Watchdog"/>; null without one. Half of it is a good interval.</summary>
    public TimeSpan? WatchdogInterval { get; }

    /// <summary>A notifier for the environment of this process: NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID.</summary>
    public static WorkerNotifier FromEnvironment()
    {
        var pid = Environment.GetEnvironmentVariable("WATCHDOG_PID");
        var isOurs = pid is null || pid == Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        var text = Environment.GetEnvironmentVariable("WATCHDOG_USEC");
        var isValid = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var microseconds) && microseconds > 0;
        TimeSpan? watchdog = isOurs && isValid ? TimeSpan.FromMicroseconds(microseconds) : null;
        return new WorkerNotifier(Environment.GetEnvironmentVariable("NOTIFY_SOCKET") is { Length: > 0 } path ? path : null, watchdog);
    }

    /// <summary>READY=1: this worker serves.</summary>
    public void Ready(string? status = null) => Send(status is null ? "READY=1" : $"READY=1\nSTATUS={Line(status)}");

    /// <summary>STATUS=: the state of this worker in one line, shown by <c>listenctl status</c>.</summary>
    public void Status(string status) => Send($"STATUS={Line(status)}");

    /// <summary>STOPPING=1: this worker has stopped accepting and finishes its connections.</summary>
    public void Stopping() => Send("STOPPING=1");

    /// <summary>WATCHDOG=1: this worker is alive. See <see cref="WatchdogInterval"/>.</summary>
    public void Watchdog() => Send("WATCHDOG=1");

    private static string Line(string text) => text.ReplaceLineEndings(" ");

    /// <summary>Sends a message. Errors are ignored: a worker must continue when its supervisor has exited.</summary>
    private void Send(string message)
    {
        if (_path is null)
        {
            return;
        }

        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
            socket.SendTo(Encoding.UTF8.GetBytes(message), new UnixDomainSocketEndPoint(_path[0] == '@' ? "\0" + _path[1..] : _path));
        }
        catch (SocketException)
        {
            // The supervisor is not there.
        }
    }
}
