using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Daemon.Control;

/// <summary>
/// Accepts connections while Kestrel serves a listener. The loop owns the listener; Kestrel never gets it or a duplicate.
/// </summary>
/// <remarks>
/// .NET's own accept would add a duplicate to its epoll set, and closing the duplicate would not remove it, because the open
/// file has other descriptors. The next duplicate would have the same number; epoll_ctl(2) would refuse it with EEXIST, and
/// Kestrel would never accept again.
/// </remarks>
internal sealed class OnDemandConnections : IConnectionListenerFactory, IConnectionListener
{
    /// <summary>The pause after a failed accept (EMFILE), because no event reports a free descriptor.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly EventLoop _loop;
    private readonly DescriptorHandle _listener;
    private readonly SocketConnectionContextFactory _contexts = new(
        new SocketConnectionFactoryOptions { IOQueueCount = 1 }, NullLogger.Instance);
    private readonly HttpTerms _terms;
    private readonly ConnectionPlaces _places;
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _allAsked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? _changed;
    private int _open;
    private int _unasked;
    private bool _isClosed;
    private bool _isWatched;

    /// <summary>The caller keeps owning the listener, and must not watch it until this is closed.</summary>
    public OnDemandConnections(EventLoop loop, DescriptorHandle listener, HttpTerms terms)
    {
        _loop = loop;
        _listener = listener;
        _terms = terms;
        _places = terms.Places();
    }

    /// <inheritdoc/>
    public EndPoint EndPoint => _terms.EndPoint;

    /// <inheritdoc/>
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) => new(this);

    /// <inheritdoc/>
    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            TaskCompletionSource changed;
            SystemCallError? error;
            lock (_lock)
            {
                if (_isClosed)
                {
                    return null;
                }

                using var accepted = Sockets.Accept(_listener, nonBlocking: true, out error);
                if (accepted is not null && _places.Busy >= _terms.MostBusy)
                {
                    continue;
                }

                if (accepted is not null)
                {
                    var client = _terms.IsLocal ? ClientCredentials.Of(accepted) : null;
                    var socket = new Socket(accepted.IntoSocket());
                    if (!_terms.IsLocal)
                    {
                        socket.NoDelay = true;
                    }

                    var connection = _contexts.Create(socket);
                    connection.Features.Set(client);
                    connection.Features.Set(_places.Enter(connection, client?.Stranger));
                    _open++;
                    _unasked++;
                    return connection;
                }

                changed = _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            if (error is null)
            {
                _loop.Post(Watch);
                await changed.Task;
            }
            else
            {
                await changed.Task.WaitAsync(Pause, _loop.Time, CancellationToken.None)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>An accepted connection has had its first request, or was closed without one.</summary>
    public void CountFirstRequest()
    {
        lock (_lock)
        {
            _unasked--;
            SetAllAsked();
        }
    }

    /// <summary>
    /// Stops accepting, and waits until each accepted connection has had its first request: when Kestrel stops, it answers
    /// requests that it has and closes other connections. Waits for at most <paramref name="limit"/>.
    /// </summary>
    public Task CloseAsync(TimeSpan limit)
    {
        lock (_lock)
        {
            Close();
            SetAllAsked();
        }

        return Task.WhenAny(_allAsked.Task, Task.Delay(limit, _loop.Time));
    }

    /// <summary>An accepted connection was closed. True if it was the last one.</summary>
    public bool End()
    {
        lock (_lock)
        {
            return --_open == 0;
        }
    }

    /// <summary>Stops accepting unless there is a connection; returns whether it did.</summary>
    public bool TryClose()
    {
        lock (_lock)
        {
            if (_open > 0)
            {
                return false;
            }

            Close();
            return true;
        }
    }

    /// <inheritdoc/>
    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            Close();
        }

        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _contexts.Dispose();
        return ValueTask.CompletedTask;
    }

    private void SetAllAsked()
    {
        if (_isClosed && _unasked == 0)
        {
            _allAsked.TrySetResult();
        }
    }

    private void Close()
    {
        _isClosed = true;
        _changed?.TrySetResult();
        _loop.Post(Unwatch);
    }

    /// <summary>On the loop: waits for a connection.</summary>
    private void Watch()
    {
        if (!_isClosed && !_isWatched)
        {
            _isWatched = true;
            _loop.Watch(_listener, () =>
            {
                Unwatch();
                _changed?.TrySetResult();
            });
        }
    }

    /// <summary>On the loop.</summary>
    private void Unwatch()
    {
        if (_isWatched)
        {
            _isWatched = false;
            _loop.Unwatch(_listener);
        }
    }
}
