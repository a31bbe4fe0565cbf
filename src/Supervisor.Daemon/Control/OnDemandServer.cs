using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Daemon.Control;

/// <summary>Serves HTTP/1.1 on a listener that the loop owns. Kestrel runs only while a client is connected.</summary>
/// <remarks>
/// Kestrel's heartbeat wakes a process once a second, and Kestrel's start takes as long as the rest of the daemon's. So the
/// loop watches the listener and starts Kestrel at the first connection (<see cref="OnDemandConnections"/>). Kestrel stops
/// when no connection has been open for <see cref="IdleAfter"/>. In the meantime connections wait in the accept queue.
/// </remarks>
internal sealed class OnDemandServer : IDisposable
{
    /// <summary>How long Kestrel runs without a connection.</summary>
    public static readonly TimeSpan IdleAfter = TimeSpan.FromSeconds(5);

    /// <summary>How long a newly accepted connection may take to send its first request.</summary>
    private static readonly TimeSpan FirstRequestTimeout = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(2);

    private readonly EventLoop _loop;
    private readonly DescriptorHandle _listener;
    private readonly HttpTerms _terms;
    private readonly Lock _lock = new();
    private readonly Timer _idle;
    private (WebApplication Application, OnDemandConnections Connections)? _serving;
    private Task _starting = Task.CompletedTask;
    private volatile bool _isStopping = true;
    private bool _isWatched;
    private TaskCompletionSource? _waiting;

    /// <summary>A server that does nothing until <see cref="Serve"/>. The caller keeps owning the listener.</summary>
    public OnDemandServer(EventLoop loop, DescriptorHandle listener, HttpTerms terms)
    {
        (_loop, _listener, _terms) = (loop, listener, terms);
        _idle = new Timer(_ => _ = StopWhenIdleAsync());
    }

    /// <summary>Serves clients from now on, also after <see cref="PauseAsync"/>. On the loop.</summary>
    public void Serve()
    {
        _isStopping = false;
        if (Polling.IsReadable(_listener))
        {
            // Clients wait, as after an upgrade: Kestrel starts while the daemon does.
            _waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Activate();
            return;
        }

        Watch();
    }

    /// <summary>
    /// Completes when the first of the clients that waited for <see cref="Serve"/> has been served; at once if none waited. Never if the
    /// server cannot start.
    /// </summary>
    public Task FirstServed => _waiting?.Task ?? Task.CompletedTask;

    /// <summary>
    /// Stops accepting and ends Kestrel, which gets <paramref name="patience"/> for answers in progress. New connections wait in the
    /// queue. The caller ends streams. On the loop, or after its end.
    /// </summary>
    public void Stop(TimeSpan patience)
    {
        _isStopping = true;
        Unwatch();
        _starting.Wait(patience);
        if (TakeServing() is var (application, _))
        {
            using var limit = new CancellationTokenSource(patience);
            application.StopAsync(limit.Token).ContinueWith(_ => { }, TaskScheduler.Default).Wait();
        }
    }

    /// <summary>
    /// Stops accepting: answers in progress are completed, and new connections wait in the queue. The caller ends streams. On the loop.
    /// </summary>
    public Task PauseAsync()
    {
        _isStopping = true;
        Unwatch();
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

    /// <inheritdoc/>
    public void Dispose() => _idle.Dispose();

    /// <summary>At the first connection. On the loop.</summary>
    private void Activate()
    {
        Unwatch();
        _starting = Task.Run(StartAsync);
    }

    private void Watch()
    {
        if (!_isWatched)
        {
            _isWatched = true;
            _loop.Watch(_listener, Activate);
        }
    }

    private void Unwatch()
    {
        if (_isWatched)
        {
            _isWatched = false;
            _loop.Unwatch(_listener);
        }
    }

    private async Task StartAsync()
    {
        var connections = new OnDemandConnections(_loop, _listener, _terms);
        try
        {
            var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "listend" });
            builder.WebHost.UseKestrelCore().ConfigureKestrel(options =>
            {
                options.AddServerHeader = false;
                _terms.Limits(options.Limits);
                options.Listen(_terms.EndPoint, listen =>
                {
                    listen.Protocols = HttpProtocols.Http1;
                    listen.Use(next => connection => ServeAsync(next, connection, connections));
                });
            });
            builder.Services.AddSingleton<IConnectionListenerFactory>(connections);
            builder.Services.AddRoutingCore();
            builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(1));
            var application = builder.Build();
            application.Use(CountRequest);
            _terms.Map(application);
            await application.StartAsync();
            lock (_lock)
            {
                _serving = (application, connections);
            }
        }
        catch (Exception exception)
        {
            // The loop watches the listener again and retries at the next connection.
            await connections.UnbindAsync();
            _terms.Failed(exception);
        }

        _idle.Change(IdleAfter, Timeout.InfiniteTimeSpan);
    }

    private async Task ServeAsync(ConnectionDelegate next, ConnectionContext connection, OnDemandConnections connections)
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
            _waiting?.TrySetResult();
            if (connections.End() && !_isStopping)
            {
                _idle.Change(IdleAfter, Timeout.InfiniteTimeSpan);
            }
        }
    }

    private static async Task CountRequest(HttpContext context, RequestDelegate next)
    {
        context.Features.Get<FirstRequest>()?.Count();
        var place = context.Features.Get<ConnectionPlaces.Place>();
        place?.Begin();
        try
        {
            await next(context);
        }
        finally
        {
            place?.End();
        }
    }

    private async Task StopWhenIdleAsync()
    {
        WebApplication? application;
        lock (_lock)
        {
            // Kestrel has a thread of its own, which its next start might not get.
            if (_serving is not null && !_isStopping && !ThreadReserve.TryFill())
            {
                _idle.Change(IdleAfter, Timeout.InfiniteTimeSpan);
                return;
            }

            // If a client has connected in the meantime, the end of its connection starts the next wait.
            if (_isStopping || (_serving is var (_, connections) && !connections.TryClose()))
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
            }
        }
        finally
        {
            _loop.Post(() =>
            {
                if (_isStopping)
                {
                    return;
                }

                Watch();
                if (application is not null)
                {
                    _terms.BecameIdle();
                }
            });
        }
    }

    private (WebApplication Application, OnDemandConnections Connections)? TakeServing()
    {
        lock (_lock)
        {
            var serving = _serving;
            _serving = null;
            return serving;
        }
    }
}
