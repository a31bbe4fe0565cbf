using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Supervisor.Client;

/// <summary>
/// Tells the supervisor how this worker stands, by the notify protocol (sd_notify(3)) over NOTIFY_SOCKET. Without a
/// supervisor every method does nothing. May be used from any thread.
/// </summary>
public sealed class WorkerNotifier
{
    private readonly string? _path;

    private WorkerNotifier(string? path, TimeSpan? watchdog)
    {
        _path = path;
        WatchdogInterval = watchdog;
    }

    /// <summary>Whether anybody listens.</summary>
    public bool IsSupervised => _path is not null;

    /// <summary>The longest silence between two calls of <see cref="Watchdog"/>; null without a watchdog. Half of it is a good interval.</summary>
    public TimeSpan? WatchdogInterval { get; }

    /// <summary>The one that this process's environment names: NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID.</summary>
    public static WorkerNotifier FromEnvironment()
    {
        var pid = Environment.GetEnvironmentVariable("WATCHDOG_PID");
        var isOurs = pid is null || pid == Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        var watchdog = isOurs && long.TryParse(Environment.GetEnvironmentVariable("WATCHDOG_USEC"), NumberStyles.None, CultureInfo.InvariantCulture, out var microseconds) && microseconds > 0
            ? TimeSpan.FromMicroseconds(microseconds)
            : (TimeSpan?)null;
        return new WorkerNotifier(Environment.GetEnvironmentVariable("NOTIFY_SOCKET") is { Length: > 0 } path ? path : null, watchdog);
    }

    /// <summary>READY=1: this worker serves. With <paramref name="status"/>, what it says of itself.</summary>
    public void Ready(string? status = null) => Send(status is null ? "READY=1" : $"READY=1\nSTATUS={Line(status)}");

    /// <summary>STATUS=: what this worker says of itself, in one line.</summary>
    public void Status(string status) => Send($"STATUS={Line(status)}");

    /// <summary>STOPPING=1: this worker accepts no more and answers what it has.</summary>
    public void Stopping() => Send("STOPPING=1");

    /// <summary>WATCHDOG=1: a sign of life.</summary>
    public void Watchdog() => Send("WATCHDOG=1");

    private static string Line(string text) => text.ReplaceLineEndings(" ");

    /// <summary>A supervisor that is gone must not take its worker with it: what cannot be told is not.</summary>
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
            // Said above.
        }
    }
}
