using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Supervisor.Control;
using Xunit;
using Xunit.Sdk;

namespace Supervisor.EndToEnd;

/// <summary>
/// A published daemon with its own runtime directory. A test waits for a kind of message, an event, a state or a
/// descriptor. At the end the daemon is stopped, and no process and no socket may remain.
/// </summary>
internal sealed class DaemonUnderTest : IAsyncDisposable
{
    private readonly RunningProgram _program;
    private int? _pid;
    private readonly List<DaemonUnderTest> _successors = [];
    private bool _isDisposed;
    private Func<IReadOnlyList<string>?, IReadOnlyList<string>?, RunningProgram>? _startAgain;

    private DaemonUnderTest(TemporaryDirectory directory, RunningProgram program, string runtime)
    {
        Directory = directory;
        Runtime = runtime;
        _program = program;
    }

    /// <summary>The test's directory, which contains the runtime directory.</summary>
    public TemporaryDirectory Directory { get; }

    /// <summary>The runtime directory.</summary>
    public string Runtime { get; }

    /// <summary>The control socket.</summary>
    public string ControlSocket => Path.Combine(Runtime, "control.sock");

    /// <summary>The daemon's process id.</summary>
    public int Pid => _pid ?? _program.Pid;

    /// <summary>The daemon's log.</summary>
    public LineLog Log => _program.Error;

    /// <summary>Whether the daemon has exited.</summary>
    public bool HasEnded => _program.HasEnded;

    /// <summary>
    /// Runs a test on a daemon whose control socket is open. In the configuration <c>@dir@</c> is the test's
    /// directory and <c>@hello@</c> the bundled worker. A failure's message ends with the daemon's last lines.
    /// </summary>
    public static async Task WithAsync(
        string config,
        Func<DaemonUnderTest, Task> test,
        DaemonOptions? options = null,
        Action<TemporaryDirectory>? prepare = null)
    {
        using var directory = new TemporaryDirectory();
        prepare?.Invoke(directory);
        await using var daemon = Start(directory, config, options ??= new DaemonOptions());
        try
        {
            await daemon.WaitUntilUpAsync(options);
            await test(daemon);
            await daemon.LeaveAsync(options.ExitCode);
        }
        catch (Exception exception)
        {
            throw new XunitException($"{exception.Message}\n{exception.StackTrace}\nThe daemon's last lines:\n{daemon.Log.Tail(80)}");
        }
    }

    /// <summary>Starts a daemon without waiting for it.</summary>
    public static DaemonUnderTest Start(TemporaryDirectory directory, string config, DaemonOptions options, string name = "run")
    {
        var runtime = directory[name];
        var settings = Quick.Rollouts(Fill(config, directory));
        var file = directory.Write(name + ".toml", $"[daemon]\nruntime_directory = \"{runtime}\"\n\n{settings}");
        string[] program =
            [options.Program ?? Published.Listend, "run", "--log-format", options.LogFormat, "--log-level", options.LogLevel];
        string[] arguments = options.Arguments is { } given
            ? ["--runtime-directory", runtime, .. given.Select(word => Fill(word, directory))]
            : ["--config", file];

        // A supervisor may have started the test runner; the daemon must not inherit its variables.
        var environment = new Dictionary<string, string?>
        {
            ["NOTIFY_SOCKET"] = null,
            ["LISTEN_FDS"] = null,
            ["LISTEN_PID"] = null,
            ["DOTNET_gcServer"] = null,
        };
        foreach (var (variable, value) in options.Environment)
        {
            environment[variable] = value;
        }

        RunningProgram StartIt(IReadOnlyList<string>? others, IReadOnlyList<string> wrapper)
        {
            string[] command = [.. wrapper.Select(word => Fill(word, directory)), .. program, .. others ?? arguments];
            return RunningProgram.Start(command[0], command.Skip(1), environment);
        }

        return new DaemonUnderTest(directory, StartIt(null, options.Wrapper), runtime)
        {
            _startAgain = (others, wrapper) => StartIt(others, wrapper ?? options.Wrapper),
        };
    }

    /// <summary>Starts a successor with the same or other <paramref name="arguments"/>, without waiting for it.</summary>
    public DaemonUnderTest Again(params string[] arguments) => Successor(_startAgain!(arguments.Length > 0 ? arguments : null, null));

    /// <summary>Starts a successor under a wrapper; an empty wrapper means none.</summary>
    public DaemonUnderTest AgainUnder(IReadOnlyList<string> wrapper) => Successor(_startAgain!(null, wrapper));

    /// <summary>Waits until the daemon is ready.</summary>
    public async Task WaitUntilUpAsync(DaemonOptions? options = null)
    {
        if (options is { LogFormat: not "json" })
        {
            await UntilAsync(async () => (await ListenctlAsync("status")).ExitCode == 0);
            return;
        }

        var ready = await Log.WaitForAsync(0, MessageIds.DaemonReady);
        if (options is { WrapperStays: true })
        {
            _pid = ready.Number("Pid");
        }
    }

    /// <summary>Waits until so many workers of a service have become ready after line <paramref name="from"/>.</summary>
    public Task<IReadOnlyList<LogMessage>> WaitUntilReadyAsync(string service, int workers = 1, int from = 0) =>
        Log.WaitForAsync(
            from,
            workers,
            message => message.Kind == MessageIds.WorkerReady && message.Service == service,
            $"worker of {service} is ready");

    /// <summary>Waits for a state, which is read again after each line of the log.</summary>
    public async Task UntilAsync(Func<Task<bool>> holds)
    {
        for (var mark = Log.Count; !await holds(); mark = Log.Count)
        {
            await Log.AnyAsync(mark);
        }
    }

    /// <summary>Runs listenctl.</summary>
    public Task<ProgramResult> ListenctlAsync(params string[] arguments) =>
        RunningProgram.RunAsync(Published.Listenctl, ["--socket", ControlSocket, .. arguments]);

    /// <summary>Runs listenctl with --json, which must succeed with one document.</summary>
    public async Task<T> AskAsync<T>(JsonTypeInfo<T> type, params string[] arguments)
    {
        var result = await ListenctlAsync([.. arguments, "--json"]);
        Assert.True(result.ExitCode == 0, $"listenctl {string.Join(' ', arguments)}: exit code {result.ExitCode}\n{result.Error}");
        return JsonSerializer.Deserialize(result.Output, type)!;
    }

    /// <summary>listenctl status SERVICE.</summary>
    public async Task<ServiceDocument> StatusAsync(string service) =>
        (await AskAsync(ControlJson.Default.StatusDocument, "status", service)).Services.Single(one => one.Name == service);

    /// <summary>listenctl listeners.</summary>
    public async Task<IReadOnlyList<ListenerDocument>> ListenersAsync() =>
        await AskAsync(ControlJson.Default.ListListenerDocument, "listeners");

    /// <summary>listenctl listeners NAME.</summary>
    public async Task<ListenerDocument> ListenerAsync(string name) =>
        (await AskAsync(ControlJson.Default.ListListenerDocument, "listeners", name)).Single();

    /// <summary>listenctl history NAME.</summary>
    public async Task<IReadOnlyList<HistoryEntryDocument>> HistoryAsync(string name) =>
        await AskAsync(ControlJson.Default.ListHistoryEntryDocument, "history", name);

    /// <summary>The effective address of a TCP listener.</summary>
    public async Task<IPEndPoint> EndPointAsync(string name)
    {
        var effective = (await ListenerAsync(name)).Effective ?? throw new InvalidOperationException($"listener {name} has no address");
        return IPEndPoint.Parse(effective[(effective.IndexOf("://", StringComparison.Ordinal) + 3)..]);
    }

    /// <summary>The process ids of a service's ready workers.</summary>
    public async Task<IReadOnlyList<int>> ReadyAsync(string service) =>
        [.. (await StatusAsync(service)).Workers.Where(worker => worker.State == "ready").Select(worker => worker.Pid!.Value).Order()];

    /// <summary>An HTTP client of the control socket.</summary>
    public HttpClient Http() => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancel) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(ControlSocket), cancel);
            return new NetworkStream(socket, ownsSocket: true);
        },
    })
    {
        BaseAddress = new Uri("http://localhost"),
        Timeout = Patience.Limit,
    };

    /// <summary>Sends a request such as "GET /v1/status" to the control socket. Returns the answer with its head.</summary>
    public async Task<string> AskAsync(string request)
    {
        using var limit = new CancellationTokenSource(Patience.Limit);
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(ControlSocket), limit.Token);
        await socket.SendAsync(
            Encoding.ASCII.GetBytes($"{request} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
            limit.Token);
        await using var stream = new NetworkStream(socket);
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync(limit.Token);
    }

    /// <summary>Sends a signal to the daemon.</summary>
    public void Signal(int signal) => RunningProgram.Kill(Pid, signal);

    /// <summary>Waits until the daemon exits.</summary>
    public Task<int> WaitAsync() => _program.WaitAsync();

    /// <summary>Stops the daemon if it still runs, and checks that no process and no socket remains.</summary>
    public async Task LeaveAsync(int exitCode = 0)
    {
        if (!_program.HasEnded)
        {
            Signal(Signals.Terminate);
        }

        Assert.Equal(exitCode, await WaitAsync());
        await AssertNothingIsLeftAsync();
    }

    /// <summary>Checks that no process has the runtime directory in its environment, and that it contains no socket.</summary>
    public async Task AssertNothingIsLeftAsync()
    {
        await Processes.EndedAsync([.. Processes.WithEnvironment(Runtime)]);
        if (System.IO.Directory.Exists(Runtime))
        {
            Assert.Equal(
                ["listend.lock"],
                System.IO.Directory.EnumerateFiles(Runtime, "*", SearchOption.AllDirectories)
                    .Select(file => Path.GetRelativePath(Runtime, file)));
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        foreach (var successor in _successors)
        {
            await successor.DisposeAsync();
        }

        if (!_program.HasEnded && _pid is { } pid)
        {
            RunningProgram.Kill(pid, Signals.Kill);
        }

        await _program.DisposeAsync();
        foreach (var left in Processes.WithEnvironment(Runtime))
        {
            RunningProgram.Kill(left, Signals.Kill);
        }
    }

    // Disposing of the first daemon stops all successors, because a failed test may not know them.
    private DaemonUnderTest Successor(RunningProgram program)
    {
        var successor = new DaemonUnderTest(Directory, program, Runtime) { _startAgain = _startAgain };
        _successors.Add(successor);
        return successor;
    }

    private static string Fill(string text, TemporaryDirectory directory) => text
        .Replace("@dir@", directory.Path, StringComparison.Ordinal)
        .Replace("@hello@", text.Contains("@hello@", StringComparison.Ordinal) ? Published.Hello : "", StringComparison.Ordinal);
}
