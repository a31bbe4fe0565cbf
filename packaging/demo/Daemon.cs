using System.Net.Sockets;

namespace Supervisor.Demo;

/// <summary>The daemon of the demo, and the processes that it has started.</summary>
internal sealed class Daemon : IAsyncDisposable
{
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(15);

    private readonly LogTail _log = new(50);
    private readonly Workspace _workspace;
    private readonly Child _child;
    private readonly HttpClient _control;

    private Daemon(string listend, Workspace workspace)
    {
        _workspace = workspace;
        _control = new HttpClient(new SocketsHttpHandler { ConnectCallback = ConnectAsync }) { BaseAddress = new Uri("http://localhost") };
        _child = Child.Start(listend, ["run", "--config", workspace.ConfigFile, "--log-format", "text"], _log.Add, _log.Add);
    }

    /// <summary>The daemon's process id.</summary>
    public int Pid => _child.Pid;

    /// <summary>The last 50 lines of its log.</summary>
    public IReadOnlyList<string> LastLines => _log.Lines;

    /// <summary>Starts the daemon.</summary>
    public static Daemon Start(string listend, Workspace workspace) => new(listend, workspace);

    /// <summary>Waits until every service is ready.</summary>
    /// <exception cref="DemoFailure">The daemon has exited, or is not ready within 10 s.</exception>
    public async Task WaitUntilReadyAsync(CancellationToken cancellation)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(TimeSpan.FromSeconds(10));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        try
        {
            do
            {
                if (_child.HasExited)
                {
                    throw new DemoFailure($"listend has exited with status {await _child.WaitAsync(cancellation)}");
                }

                try
                {
                    using var answer = await _control.GetAsync(new Uri("/readyz", UriKind.Relative), deadline.Token);
                    if (answer.IsSuccessStatusCode)
                    {
                        return;
                    }
                }
                catch (HttpRequestException)
                {
                    // The control socket does not exist yet.
                }
            }
            while (await timer.WaitForNextTickAsync(deadline.Token));
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new DemoFailure("listend is not ready: GET /readyz on its control socket did not return 200 within 10 s");
        }
    }

    /// <summary>Waits until the daemon exits.</summary>
    public Task<int> WaitAsync(CancellationToken cancellation) => _child.WaitAsync(cancellation);

    /// <summary>Sends SIGTERM, so the daemon drains and exits. Returns its exit status, or null if it had to be killed.</summary>
    public async Task<int?> StopAsync()
    {
        if (!_child.HasExited)
        {
            _child.Terminate();
        }

        using var deadline = new CancellationTokenSource(StopTime);
        try
        {
            return await _child.WaitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            _child.Kill();
            return null;
        }
    }

    /// <summary>
    /// The running processes that the daemon or its workers have started. Their environment contains the runtime
    /// directory.
    /// </summary>
    public IReadOnlyList<int> Descendants()
    {
        var found = new List<int>();
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            try
            {
                if (int.TryParse(Path.GetFileName(directory), out var pid)
                    && pid != Environment.ProcessId
                    && File.ReadAllText(Path.Combine(directory, "environ")).Contains(_workspace.Runtime, StringComparison.Ordinal))
                {
                    found.Add(pid);
                }
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
                // The process has exited, or belongs to another user.
            }
        }

        return found;
    }

    /// <summary>Stops the daemon, and kills the processes that it should have stopped.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        foreach (var pid in Descendants())
        {
            Child.Signal(pid, 9);
        }

        _control.Dispose();
        _child.Dispose();
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(_workspace.ControlSocket), cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
