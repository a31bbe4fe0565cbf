using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Serilog;
using Supervisor.Core;
using Supervisor.Core.Listeners;
using Supervisor.Linux;
using Supervisor.Linux.Kernel;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Daemon.Control;

/// <summary>
/// The control socket. The daemon owns the listener; Kestrel runs only while a client is connected.
/// </summary>
/// <remarks>
/// Kestrel's heartbeat wakes a process once a second, and Kestrel's start takes as long as the rest of the daemon's. So the
/// loop watches the listener and starts Kestrel at the first connection (<see cref="ControlConnections"/>). Kestrel stops
/// when no connection has been open for <see cref="IdleAfter"/>. In the meantime connections wait in the accept queue.
/// </remarks>
internal sealed class ControlServer : IDisposable
{
    /// <summary>How long Kestrel runs without a connection.</summary>
    public static readonly TimeSpan IdleAfter = TimeSpan.FromSeconds(5);

    /// <summary>How long the header of a request may take after its first byte.</summary>
    private static readonly TimeSpan HeaderTimeout = TimeSpan.FromSeconds(5);

    private const int MaxRequestLine = 4096;
    private const int MaxHeaders = 16 * 1024;

    /// <summary>How long a newly accepted connection may take to send its first request.</summary>
    private static readonly TimeSpan FirstRequestTimeout = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(2);

    private readonly EventLoop _loop;
    private readonly string _path;
    private readonly ILogger _log;
    private readonly DescriptorHandle _listener;
    private CancellationTokenSource _stopping = new();
    private readonly Lock _lock = new();
    private readonly Timer _idle;
    private (WebApplication Application, ControlConnections Connections)? _serving;
    private Task _starting = Task.CompletedTask;
    private Action<WebApplication>? _map;
    private Action? _becameIdle;

    private ControlServer(EventLoop loop, string path, ILogger log, DescriptorHandle listener)
    {
        _loop = loop;
        _path = path;
        _log = log;
        _listener = listener;
        Group = new ControlGroup(loop, path, log);
        Access = new AccessPolicy(loop, path);
        _idle = new Timer(_ => _ = StopWhenIdleAsync());
    }

    /// <summary>The socket, which the daemon owns.</summary>
    public DescriptorHandle Listener => _listener;

    /// <summary>The group whose members may read.</summary>
    public ControlGroup Group { get; }

    /// <summary>What other users may do.</summary>
    public AccessPolicy Access { get; }

    /// <summary>Cancelled when the daemon stops, which ends open streams.</summary>
    public CancellationToken Stopping => _stopping.Token;

    /// <summary>
    /// Binds the socket at <paramref name="path"/>, or uses the predecessor's; null with the reason on failure. Clients wait in
    /// its queue until <see cref="Serve"/>.
    /// </summary>
    public static ControlServer? TryBind(EventLoop loop, string path, ILogger log, DescriptorHandle? inherited, out string? error)
    {
        if (inherited is not null)
        {
            error = null;
            return Bound(loop, path, log, inherited);
        }

        return Open(path, out error) is { } socket ? Bound(loop, path, log, socket) : null;
    }

    /// <summary>
    /// Makes the socket again if its file was removed; clients that are connected stay. Null, or the reason why that fails.
    /// </summary>
    public string? Restore()
    {
        if (UnixDiag.IsAt(_listener, _path))
        {
            return null;
        }

        using var made = Open(_path, out var error);
        if (made is null)
        {
            return error;
        }

        Sockets.SetPassRights(made, allowed: false);
        Group.Repeat();
        Access.Repeat();
        return _loop.Replace(_listener, made)?.ToString();
    }

    private static DescriptorHandle? Open(string path, out string? error)
    {
        var raw = Sockaddr.Encode(ListenAddress.Unix(ListenerKind.UnixStream, path, isAbstract: false));
        if (raw is null)
        {
            error = $"control socket {path}: the path is longer than {ListenAddress.MaxUnixPathBytes} bytes; "
                + "choose a shorter runtime directory";
            return null;
        }

        var socket = Sockets.Create(AF_UNIX, SOCK_STREAM, 0, nonBlocking: true, out var failed);
        if (socket is null)
        {
            error = $"control socket {path}: {failed}";
            return null;
        }

        // This daemon holds the lock of the runtime directory, so an existing socket file has no daemon. The mode, 0660, is set
        // before bind(), so the socket never has wider permissions.
        const int mode = 0x1B0, backlog = 128;
        Files.Unlink(path);
        var refused = Files.SetMode(socket, mode) ?? Sockets.Bind(socket, raw) ?? Files.SetMode(path, mode)
            ?? Sockets.Listen(socket, backlog);
        if (refused is { } why)
        {
            socket.Dispose();
            error = $"control socket {path}: {why}";
            return null;
        }

        error = null;
        return socket;
    }

    private static ControlServer Bound(EventLoop loop, string path, ILogger log, DescriptorHandle listener)
    {
        // The control socket takes no descriptors: the kernel refuses them at the sender, before accept() too.
        Sockets.SetPassRights(listener, allowed: false);
        return new ControlServer(loop, path, log, listener);
    }

    /// <summary>Serves clients from now on. On the loop.</summary>
    /// <param name="context">The parts of the daemon that clients read and change.</param>
    /// <param name="verbs">The changes of the whole daemon that clients can request.</param>
    /// <param name="becameIdle">Called on the loop when no client has been connected for <see cref="IdleAfter"/>.</param>
    public void Serve(ControlContext context, ControlVerbs verbs, Action becameIdle)
    {
        _map = application => new ControlApi(context, verbs, Group, Access, Stopping).Map(application);
        _becameIdle = becameIdle;
        _loop.Watch(_listener, Activate);
    }

    /// <summary>Ends open streams and answers, and removes the socket.</summary>
    public void Stop()
    {
        _stopping.Cancel();
        _loop.Unwatch(_listener);
        Files.Unlink(_path);
        var patience = TimeSpan.FromSeconds(2);
        _starting.Wait(patience);
        if (TakeServing() is var (application, _))
        {
            using var limit = new CancellationTokenSource(patience);
            application.StopAsync(limit.Token).ContinueWith(_ => { }, TaskScheduler.Default).Wait();
        }
    }

    /// <summary>
    /// Stops accepting: streams end, answers in progress are completed, and new connections wait in the queue. On the loop.
    /// </summary>
    public Task PauseAsync()
    {
        _stopping.Cancel();
        _loop.Unwatch(_listener);
        var starting = _starting;
        return Task.Run(async () =>
        {
            await starting;
            if (TakeServing() is var (application, connections))
            {
                await connections.CloseAsync(FirstRequestTimeout);
                using var limit = new CancellationTokenSource(AnswerTimeout);
                await application.StopAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                await application.DisposeAsync();
            }
        });
    }

    /// <summary>Serves again after <see cref="PauseAsync"/>. On the loop.</summary>
    public void Resume()
    {
        _stopping = new CancellationTokenSource();
        _loop.Watch(_listener, Activate);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _idle.Dispose();
        _stopping.Dispose();
        _listener.Dispose();
    }

    /// <summary>At the first connection. On the loop.</summary>
    private void Activate()
    {
        _loop.Unwatch(_listener);
        _starting = Task.Run(StartAsync);
    }

    private async Task StartAsync()
    {
        var connections = new ControlConnections(_loop, _listener, _path);
        try
        {
            var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "listend" });
            builder.WebHost.UseKestrelCore().ConfigureKestrel(options =>
            {
                options.AddServerHeader = false;
                options.Limits.MaxRequestBodySize = 64 * 1024;
                options.Limits.MaxRequestLineSize = MaxRequestLine;
                options.Limits.MaxRequestHeadersTotalSize = MaxHeaders;
                options.Limits.RequestHeadersTimeout = HeaderTimeout;
                options.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(30);
                options.Limits.MinResponseDataRate = null;
                options.ListenUnixSocket(_path, listen =>
                {
                    listen.Protocols = HttpProtocols.Http1;
                    listen.Use(next => connection => ServeAsync(next, connection, connections));
                });
            });
            builder.Services.AddSingleton<IConnectionListenerFactory>(connections);
            builder.Services.AddRoutingCore();
            builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(1));
            var application = builder.Build();
            _map!(application);
            await application.StartAsync();
            lock (_lock)
            {
                _serving = (application, connections);
            }

            _idle.Change(IdleAfter, Timeout.InfiniteTimeSpan);
        }
        catch (Exception exception)
        {
            // The loop watches the listener again and retries at the next connection.
            await connections.UnbindAsync();
            _log.Kind(MessageIds.ControlStalled).Error(exception, "control socket: cannot serve requests now: {Reason}", exception.Message);
            _idle.Change(IdleAfter, Timeout.InfiniteTimeSpan);
        }
    }

    private async Task ServeAsync(ConnectionDelegate next, ConnectionContext connection, ControlConnections connections)
    {
        using var place = connection.Features.Get<ConnectionPlaces.Place>();
        var first = new FirstRequest(connections);
        connection.Features.Set(first);
        try
        {
            await next(connection);
        }
        finally
        {
            first.Count();
            if (connections.End() && !_stopping.IsCancellationRequested)
            {
                _idle.Change(IdleAfter, Timeout.InfiniteTimeSpan);
            }
        }
    }

    private async Task StopWhenIdleAsync()
    {
        WebApplication? application = null;
        lock (_lock)
        {
            // If a client has connected in the meantime, the end of its connection starts the next wait.
            if (_stopping.IsCancellationRequested || (_serving is var (_, connections) && !connections.TryClose()))
            {
                return;
            }

            application = _serving?.Application;
            _serving = null;
        }

        try
        {
            if (application is not null)
            {
                await application.StopAsync();
                await application.DisposeAsync();
                _log.Kind(MessageIds.ControlIdle)
                    .Debug("control socket: no client for {Seconds} s, stopping HTTP until the next one", IdleAfter.TotalSeconds);
            }
        }
        finally
        {
            _loop.Post(() =>
            {
                if (!_stopping.IsCancellationRequested)
                {
                    _loop.Watch(_listener, Activate);
                    _becameIdle!();
                }
            });
        }
    }

    private (WebApplication Application, ControlConnections Connections)? TakeServing()
    {
        lock (_lock)
        {
            var serving = _serving;
            _serving = null;
            return serving;
        }
    }
}
