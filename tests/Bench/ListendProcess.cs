using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Supervisor.Core;
using Supervisor.Native;

namespace Supervisor.Bench;

/// <summary>The published daemon. Dispose stops it and its workers.</summary>
internal sealed class ListendProcess : IDisposable
{
    private const int Terminate = 15;

    private readonly Process _process;
    private readonly string _file;
    private readonly Thread _reader;
    private readonly ManualResetEvent _ready = new(false);
    private readonly byte[] _log = new byte[1024 * 1024];
    private int _logged;
    private long _readyAt;

    private ListendProcess(Workspace workspace, string config, string mark, int times)
        : this(workspace.Fresh("listend.toml"), workspace.Fresh("run"), config, mark, times)
    {
    }

    private ListendProcess(string file, string folder, string? config, string mark, int times)
    {
        _file = file;
        ControlSocket = Path.Combine(folder, "control.sock");
        BrokerSocket = Path.Combine(folder, "broker.sock");
        if (config is not null)
        {
            File.WriteAllText(file, $"[daemon]\nruntime_directory = \"{folder}\"\n\n{config}");
        }

        string[] arguments = ["run", "--config", file, "--log-format", "json"];
        var start = new ProcessStartInfo(Workspace.Listend, arguments) { RedirectStandardError = true };
        _process = new Process { StartInfo = start };
        _reader = new Thread(() => Read(_process.StandardError.BaseStream, Encoding.UTF8.GetBytes(mark), times)) { IsBackground = true };
        StartedAt = Stopwatch.GetTimestamp();
        _process.Start();
        _reader.Start();
    }

    /// <summary>Starts a daemon with one listener and one service of so many workers (yardsticks/worker.c).</summary>
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
            rollout.settle = "0s"
            """, MessageIds.WorkerReady, workers);
    }

    /// <summary>Starts a daemon with one listener and so many workers that keep each connection (yardsticks/holder.c).</summary>
    public static ListendProcess WithHolders(Workspace workspace, int workers) => new(workspace, $$"""
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [service.w]
        command = ["{{workspace.Yardstick("holder")}}"]
        listeners = ["web"]
        workers = {{workers}}
        limits = { nofile = "infinity" }
        """, MessageIds.WorkerReady, workers);

    /// <summary>Starts a daemon with so many listeners, each with a service of one worker (yardsticks/worker.c).</summary>
    public static ListendProcess WithServices(Workspace workspace, int count) => new(
        workspace,
        string.Concat(Enumerable.Range(0, count).Select(i => $$"""
            [listener.l{{i}}]
            address = "tcp://127.0.0.1:0"

            [service.s{{i}}]
            command = ["{{workspace.Yardstick("worker")}}"]
            listeners = ["l{{i}}"]


            """)),
        MessageIds.WorkerReady,
        count);

    /// <summary>Starts a daemon with listeners and without services; ready when it logs its control socket.</summary>
    public static ListendProcess WithListeners(Workspace workspace, string listeners) =>
        new(workspace, listeners, MessageIds.DaemonReady, 1);

    /// <summary>Starts a daemon that starts a process for each connection to a port of 127.0.0.1.</summary>
    public static ListendProcess WithConnections(Workspace workspace, string port, IEnumerable<string> command) => new(workspace, $$"""
        [listener.web]
        address = "tcp://127.0.0.1:{{port}}"

        [service.w]
        command = [{{string.Join(", ", command.Select(word => $"\"{word}\""))}}]
        listeners = ["web"]
        start = "per-connection"
        handoff = "stdin"
        max_connections = 1000
        """, MessageIds.DaemonReady, 1);

    /// <summary>The path of the control socket.</summary>
    public string ControlSocket { get; }

    /// <summary>The path of the broker's socket.</summary>
    public string BrokerSocket { get; }

    /// <summary>The process id.</summary>
    public int Pid => _process.Id;

    /// <summary>The start in nanoseconds of CLOCK_MONOTONIC.</summary>
    public long StartedAt { get; }

    /// <summary>Waits until the daemon is ready. Returns the nanosecond at which the last log line about it arrived.</summary>
    public long WaitUntilReady()
    {
        if (!_ready.WaitOne(TimeSpan.FromMinutes(3)) || _readyAt == 0)
        {
            throw new TimeoutException($"listend is not ready after 3 minutes:\n{Encoding.UTF8.GetString(_log.AsSpan(0, _logged))}");
        }

        return _readyAt;
    }

    /// <summary>A client of the control socket.</summary>
    public HttpClient Connect() => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancellation) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(ControlSocket), cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        },
    })
    {
        BaseAddress = new Uri("http://localhost"),
    };

    /// <summary>Kills the daemon and starts a successor, which adopts the workers.</summary>
    public ListendProcess KillAndStartAgain()
    {
        _process.Kill();
        _process.WaitForExit();
        return new ListendProcess(_file, Path.GetDirectoryName(ControlSocket)!, null, MessageIds.DaemonReady, 1);
    }

    /// <summary>Runs <c>listenctl upgrade</c>.</summary>
    public void Upgrade()
    {
        using var upgrade = Process.Start(new ProcessStartInfo(Workspace.Listenctl, ["--socket", ControlSocket, "upgrade"])
        {
            RedirectStandardOutput = true,
        })!;
        upgrade.WaitForExit();
        if (upgrade.ExitCode != 0)
        {
            throw new InvalidOperationException($"listenctl upgrade: exit status {upgrade.ExitCode}");
        }
    }

    /// <summary>Sends SIGTERM and waits until the daemon has exited.</summary>
    public void Stop()
    {
        if (_process.HasExited)
        {
            return;
        }

        Processes.Kill(Pid, Terminate);
        if (!_process.WaitForExit(TimeSpan.FromSeconds(30)))
        {
            _process.Kill();
            _process.WaitForExit();
        }
    }

    /// <summary>Stops the daemon.</summary>
    public void Dispose()
    {
        Stop();
        _reader.Join();
        _process.Dispose();
        _ready.Dispose();
    }

    /// <summary>
    /// Reads raw bytes in large pieces, because this thread uses the processors that the daemon needs.
    /// </summary>
    private void Read(Stream log, ReadOnlySpan<byte> mark, int times)
    {
        var looked = 0;
        while (log.Read(_log, _logged, _log.Length - _logged) is > 0 and var count)
        {
            _logged += count;
            while (times > 0 && _log.AsSpan(looked, _logged - looked).IndexOf(mark) is >= 0 and var at)
            {
                looked += at + mark.Length;
                times--;
            }

            if (times == 0 && _readyAt == 0)
            {
                _readyAt = Stopwatch.GetTimestamp();
                _ready.Set();
            }

            if (_logged == _log.Length)
            {
                // The end may be the beginning of a mark.
                var kept = Math.Min(mark.Length - 1, _logged - looked);
                _log.AsSpan(_logged - kept, kept).CopyTo(_log);
                (looked, _logged) = (0, kept);
            }
        }

        _ready.Set();
    }
}
