using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Supervisor.Native;

namespace Supervisor.Bench;

/// <summary>The published daemon. Ends with its workers.</summary>
internal sealed class ListendProcess : IDisposable
{
    private const int Terminate = 15;

    private readonly Process _process;
    private readonly string _controlSocket;
    private readonly string _mark;
    private readonly StringBuilder _log = new();
    private readonly CountdownEvent _ready;
    private long _readyAt;

    private ListendProcess(Workspace workspace, string config, string mark, int times)
    {
        var folder = workspace.Fresh("run");
        var file = workspace.Fresh("listend.toml");
        _controlSocket = Path.Combine(folder, "control.sock");
        BrokerSocket = Path.Combine(folder, "broker.sock");
        _mark = mark;
        _ready = new CountdownEvent(times);
        File.WriteAllText(file, $"[daemon]\nruntime_directory = \"{folder}\"\n\n{config}");
        var start = new ProcessStartInfo(Workspace.Listend, ["run", "--config", file, "--log-format", "text"]) { RedirectStandardError = true };
        _process = new Process { StartInfo = start };
        _process.ErrorDataReceived += (_, line) => Logged(line.Data);
        StartedAt = Stopwatch.GetTimestamp();
        _process.Start();
        _process.BeginErrorReadLine();
    }

    /// <summary>One listener and one service of that many workers (yardsticks/worker.c); ready when they are.</summary>
    public static ListendProcess WithWorkers(Workspace workspace, int workers, string? stampSocket)
    {
        string[] command = stampSocket is null ? [workspace.Yardstick("worker")] : [workspace.Yardstick("worker"), stampSocket];
        return new ListendProcess(workspace, $$"""
            [listener.web]
            address = "tcp://127.0.0.1:0"

            [service.w]
            command = [{{string.Join(", ", command.Select(word => $"\"{word}\""))}}]
            listeners = ["web"]
            workers = {{workers}}
            restart = { limit = 0 }
            """, " is ready after ", workers);
    }

    /// <summary>Listeners without services; ready when it says where its control socket is.</summary>
    public static ListendProcess WithListeners(Workspace workspace, string listeners) => new(workspace, listeners, "; control socket ", 1);

    /// <summary>Where its broker listens.</summary>
    public string BrokerSocket { get; }

    /// <summary>Its process id.</summary>
    public int Pid => _process.Id;

    /// <summary>When it was started, in nanoseconds of CLOCK_MONOTONIC.</summary>
    public long StartedAt { get; }

    /// <summary>Waits until it is ready. The nanosecond at which its last word of that came.</summary>
    public long WaitUntilReady()
    {
        if (!_ready.Wait(TimeSpan.FromSeconds(60)))
        {
            throw new TimeoutException($"listend: {_ready.CurrentCount} of \"{_mark}\" are missing after 60 s:\n{_log}");
        }

        return Volatile.Read(ref _readyAt);
    }

    /// <summary>A client of its control socket.</summary>
    public HttpClient Connect() => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancellation) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(_controlSocket), cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        },
    })
    {
        BaseAddress = new Uri("http://localhost"),
    };

    /// <summary>Asks it to leave, and waits until it has.</summary>
    public void Dispose()
    {
        Processes.Kill(Pid, Terminate);
        if (!_process.WaitForExit(TimeSpan.FromSeconds(30)))
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }

    private void Logged(string? line)
    {
        if (line is null || _ready.IsSet)
        {
            return;
        }

        _log.AppendLine(line);
        if (line.Contains(_mark, StringComparison.Ordinal))
        {
            Volatile.Write(ref _readyAt, Stopwatch.GetTimestamp());
            _ready.Signal();
        }
    }
}
