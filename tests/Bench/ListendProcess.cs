using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Supervisor.Native;

namespace Supervisor.Bench;

/// <summary>The published daemon with one service of that many workers (yardsticks/worker.c) and one listener. Ends with its workers.</summary>
internal sealed class ListendProcess : IDisposable
{
    private const int Terminate = 15;

    private readonly Process _process;
    private readonly string _controlSocket;
    private readonly StringBuilder _log = new();
    private readonly CountdownEvent _ready;
    private long _readyAt;

    public ListendProcess(Workspace workspace, int workers, string? stampSocket)
    {
        var folder = workspace.Fresh("run");
        var config = workspace.Fresh("listend.toml");
        _controlSocket = Path.Combine(folder, "control.sock");
        _ready = new CountdownEvent(workers);
        string[] command = stampSocket is null ? [workspace.Yardstick("worker")] : [workspace.Yardstick("worker"), stampSocket];
        File.WriteAllText(config, $$"""
            [daemon]
            runtime_directory = "{{folder}}"

            [listener.web]
            address = "tcp://127.0.0.1:0"

            [service.w]
            command = [{{string.Join(", ", command.Select(word => $"\"{word}\""))}}]
            listeners = ["web"]
            workers = {{workers}}
            restart = { limit = 0 }
            """);
        var start = new ProcessStartInfo(Workspace.Listend, ["run", "--config", config, "--log-format", "text"]) { RedirectStandardError = true };
        _process = new Process { StartInfo = start };
        _process.ErrorDataReceived += (_, line) => Logged(line.Data);
        StartedAt = Stopwatch.GetTimestamp();
        _process.Start();
        _process.BeginErrorReadLine();
    }

    /// <summary>Its process id.</summary>
    public int Pid => _process.Id;

    /// <summary>When it was started, in nanoseconds of CLOCK_MONOTONIC.</summary>
    public long StartedAt { get; }

    /// <summary>Waits until it has said of each first worker that it is ready. The nanosecond at which the last one's word came.</summary>
    public long WaitUntilReady()
    {
        if (!_ready.Wait(TimeSpan.FromSeconds(60)))
        {
            throw new TimeoutException($"listend: {_ready.CurrentCount} workers are not ready after 60 s:\n{_log}");
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
        if (line.Contains(" is ready after ", StringComparison.Ordinal))
        {
            Volatile.Write(ref _readyAt, Stopwatch.GetTimestamp());
            _ready.Signal();
        }
    }
}
