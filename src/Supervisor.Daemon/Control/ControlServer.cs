using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Serilog;
using Supervisor.Core;
using Supervisor.Core.Listeners;
using Supervisor.Daemon.Performance;
using Supervisor.Linux;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Daemon.Control;

/// <summary>
/// The control socket. The daemon owns the listener; Kestrel serves it only while somebody talks to it.
/// </summary>
/// <remarks>
/// Kestrel's heartbeat wakes a process once a second, and its start takes as long as the rest of the daemon's. So the
/// loop watches the listener and starts Kestrel at the first connection, which then gets those who are accepted
/// (<see cref="ControlConnections"/>), until no connection has been open for <see cref="IdleAfter"/>. What connects in
/// between waits in the accept queue.
/// </remarks>
internal sealed partial class ControlServer : IDisposable
{
    /// <summary>How long Kestrel stays without a connection.</summary>
    public static readonly TimeSpan IdleAfter = TimeSpan.FromSeconds(5);

    /// <summary>How long a request's header may take, once its first byte is there.</summary>
    private static readonly TimeSpan HeaderTimeout = TimeSpan.FromSeconds(5);

    private const int MaxRequestLine = 4096;
    private const int MaxHeaders = 16 * 1024;

    /// <summary>How long one who was accepted just before may take to ask.</summary>
    private static readonly TimeSpan FirstWords = TimeSpan.FromMilliseconds(500);

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
        _idle = new Timer(_ => _ = StopWhenIdleAsync());
    }

    /// <summary>Ends the streams that are open when the daemon leaves.</summary>
    public CancellationToken Stopping => _stopping.Token;

    /// <summary>Binds the socket at <paramref name="path"/>, or takes a predecessor's; null with the reason where that fails. Clients wait in its queue until <see cref="Serve"/>.</summary>
    public static ControlServer? TryBind(EventLoop loop, string path, ILogger log, DescriptorHandle? inherited, out string? error)
    {
        if (inherited is not null)
        {
            error = null;
            return Bound(loop, path, log, inherited);
        }

        var raw = Sockaddr.Encode(ListenAddress.Unix(ListenerKind.UnixStream, path, isAbstract: false));
        if (raw is null)
        {
            error = $"control socket {path}: the path is longer than {ListenAddress.MaxUnixPathBytes} bytes; choose a shorter runtime directory";
            return null;
        }

        var socket = Sockets.Create(1, 1, 0, nonBlocking: true, out var failed);
        if (socket is null)
        {
            error = $"control socket {path}: {failed}";
            return null;
        }

        // The lock on the runtime directory is ours, so what lies there is a dead daemon's. The mode is set before
        // bind(), so the socket is never open to more than it should.
        Files.Unlink(path);
        var refused = Files.SetMode(socket, 0x1B0) ?? Sockets.Bind(socket, raw) ?? Files.SetMode(path, 0x1B0) ?? Sockets.Listen(socket, 128);
        if (refused is { } why)
        {
            socket.Dispose();
            error = $"control socket {path}: {why}";
            return null;
        }

        error = null;
        return Bound(loop, path, log, socket);
    }

    private static ControlServer Bound(EventLoop loop, string path, ILogger log, DescriptorHandle listener)
    {
        // Nobody sends a descriptor here: the kernel refuses it at its sender, also of those who were not accepted yet.
        Sockets.SetPassRights(listener, allowed: false);
        return new ControlServer(loop, path, log, listener);
    }

    /// <summary>Serves clients from now on. On the loop.</summary>
    /// <param name="context">What they see.</param>
    /// <param name="verbs">What they can ask for.</param>
    /// <param name="becameIdle">Called on the loop when no client has been connected for <see cref="IdleAfter"/>.</param>
    public void Serve(ControlContext context, ControlVerbs verbs, Action becameIdle)
    {
        _map = application => new ControlApi(context, verbs, Stopping).Map(application);
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

    /// <inheritdoc/>
    public void Dispose()
    {
        _idle.Dispose();
        _stopping.Dispose();
        _listener.Dispose();
    }

    /// <summary>The first connection: on the loop.</summary>
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
            // The listener is the loop's again, which tries anew when somebody connects.
            await connections.UnbindAsync();
            _log.Kind(MessageIds.ControlStalled).Error(exception, "control socket: it cannot be served now: {Reason}", exception.Message);
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
            first.Hear();
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
            // Where somebody has come meanwhile, the end of that connection is what begins the next wait.
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
                _log.Kind(MessageIds.ControlIdle).Debug("control socket: nobody has been connected for {Seconds} s: HTTP is put away until somebody is", IdleAfter.TotalSeconds);
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
