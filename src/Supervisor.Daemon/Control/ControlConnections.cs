using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Daemon.Control;

/// <summary>
/// Takes in those who connect to the control socket, for as long as Kestrel serves them. The listener is the loop's: Kestrel
/// never has it, nor a duplicate.
/// </summary>
/// <remarks>
/// .NET's own accept would add a duplicate to the epoll set of its sockets and never take it out, since closing a descriptor
/// does that only with the last one of an open file. The next duplicate then has the same number, adding it is refused
/// (EEXIST, epoll_ctl(2)), and nobody is ever accepted on it.
/// </remarks>
internal sealed class ControlConnections : IConnectionListenerFactory, IConnectionListener
{
    /// <summary>So many requests are answered at a time; who comes beyond is turned away, and finds out at once.</summary>
    private const int MostBusy = 256;

    /// <summary>So many connections are open at a time; beyond, the one that has been idle longest is closed for a new one.</summary>
    private const int MostOpen = 192;

    /// <summary>How long nobody is accepted where that was refused (EMFILE): there is no event that tells when it would go again.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly EventLoop _loop;
    private readonly DescriptorHandle _listener;
    private readonly SocketConnectionContextFactory _contexts = new(new SocketConnectionFactoryOptions { IOQueueCount = 1 }, NullLogger.Instance);
    private readonly ConnectionPlaces _places = new(MostOpen, endsRequests: false);
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _heard = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? _changed;
    private int _open;
    private int _unheard;
    private bool _isClosed;
    private bool _isWatched;

    /// <summary>On a listener that stays the caller's and that nobody else watches until this is closed.</summary>
    public ControlConnections(EventLoop loop, DescriptorHandle listener, string path)
    {
        _loop = loop;
        _listener = listener;
        EndPoint = new UnixDomainSocketEndPoint(path);
    }

    /// <inheritdoc/>
    public EndPoint EndPoint { get; }

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
                if (accepted is not null && _places.Busy >= MostBusy)
                {
                    continue;
                }

                if (accepted is not null)
                {
                    var connection = _contexts.Create(new Socket(accepted.IntoSocket()));
                    connection.Features.Set(_places.Enter(connection));
                    _open++;
                    _unheard++;
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
                await changed.Task.WaitAsync(Pause, _loop.Time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>One of those who were accepted has asked for the first time, or has gone without.</summary>
    public void Hear()
    {
        lock (_lock)
        {
            _unheard--;
            TellHeard();
        }
    }

    /// <summary>
    /// Accepts nobody any more, and waits until all who were have asked: Kestrel answers whom it has heard before it stops, and
    /// closes at once on others. Whoever says nothing is waited for no longer than <paramref name="patience"/>.
    /// </summary>
    public Task CloseAsync(TimeSpan patience)
    {
        lock (_lock)
        {
            Close();
            TellHeard();
        }

        return Task.WhenAny(_heard.Task, Task.Delay(patience, _loop.Time));
    }

    /// <summary>One of those who were accepted has gone. True where it was the last one.</summary>
    public bool End()
    {
        lock (_lock)
        {
            return --_open == 0;
        }
    }

    /// <summary>Accepts nobody any more, unless somebody is there.</summary>
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

    private void TellHeard()
    {
        if (_isClosed && _unheard == 0)
        {
            _heard.TrySetResult();
        }
    }

    private void Close()
    {
        _isClosed = true;
        _changed?.TrySetResult();
        _loop.Post(Unwatch);
    }

    /// <summary>On the loop: somebody is waited for.</summary>
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
