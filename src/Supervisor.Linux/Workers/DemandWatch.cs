using Supervisor.Core.Services;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>
/// start = "on-demand" and stop_when_idle. While no worker serves, the loop's epoll set holds the listeners. The first
/// connection or datagram makes one readable: the watch ends, and the started workers find the connection in the queue. While
/// workers serve, nothing is watched until a period of stop_when_idle is over.
/// </summary>
/// <remarks>
/// Linux does not count a listener's accepted connections. So at the end of a period of stop_when_idle, the watch checks
/// whether a connection waits or is open (one sock_diag dump, off the loop). If so, another period begins. If not, the loop
/// watches the listeners for one more period and checks again. Workers that saw no connection for that whole period, and have
/// none, are stopped. A connection that is accepted before the loop wakes, and closed before the next check, is not noticed.
/// Such a connection is served, and so is one that arrives while the workers drain.
/// </remarks>
internal sealed class DemandWatch : IDeadline, IDisposable
{
    private readonly EventLoop _loop;
    private readonly Func<IReadOnlyList<ListenerHandle>> _listeners;
    private readonly Action<ServiceEvent> _post;
    private readonly List<DescriptorHandle> _watched = [];
    private ServiceState? _state;
    private bool _isOnWatch;

    /// <summary>Until when a connection that the last workers left in the queue starts nothing; null: no such connection.</summary>
    private TimeSpan? _leftUntil;
    private int _period;

    /// <summary>A watch that posts <see cref="DemandArrived"/> and <see cref="IdleElapsed"/> to <paramref name="post"/>.</summary>
    public DemandWatch(EventLoop loop, Func<IReadOnlyList<ListenerHandle>> listeners, Action<ServiceEvent> post)
    {
        _loop = loop;
        _listeners = listeners;
        _post = post;
    }

    /// <inheritdoc/>
    public TimeSpan? NextDeadline
    {
        get;
        private set
        {
            field = value;
            _loop.Schedule(this);
        }
    }

    /// <summary>Whether a connection waits that is going to start the service, before the loop has seen it.</summary>
    public bool IsDemanded => _state is { AwaitsDemand: true } && _leftUntil is null && IsConnectionWaiting();

    /// <summary>Adapts the watch to the service's new state.</summary>
    public void Update(ServiceState state)
    {
        var before = _state;
        _state = state;
        if (state.AwaitsDemand)
        {
            EndPeriod();
            if (before is not { AwaitsDemand: true } || state.LeftDemandUntil is null)
            {
                _leftUntil = state.LeftDemandUntil is { } until && until > _loop.Now && IsConnectionWaiting() ? until : null;
            }

            AwaitDemand();
        }
        else if (!CanBeIdle(state))
        {
            Unwatch();
            EndPeriod();
        }
        else if (before is null || !CanBeIdle(before) || before.AwaitsDemand)
        {
            Unwatch();
            BeginPeriod(onWatch: false);
        }
    }

    /// <inheritdoc/>
    public void PassDeadline()
    {
        NextDeadline = null;
        if (_state!.AwaitsDemand)
        {
            _leftUntil = null;
            AwaitDemand();
            return;
        }

        var period = _period;
        var waits = _watched.Count == 0 && _isOnWatch;
        var query = new AcceptedConnections(_listeners());
        var queued = _listeners()
            .Any(handle => handle.Sockets
                .Any(socket => AcceptQueue.Read(socket.Descriptor, handle.Spec.Address.Kind, socket.Inode) is { Length: > 0 }));
        if (queued || waits)
        {
            BeginPeriod(onWatch: false);
            return;
        }

        Task.Run(() => query.Read().All.Count).ContinueWith(
            open => _loop.Post(() => OnChecked(period, open.IsCompletedSuccessfully ? open.Result : 1)), TaskScheduler.Default);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        EndPeriod();
        Unwatch();
    }

    private static bool CanBeIdle(ServiceState state) =>
        state is { IsStarted: true, Spec: { Start: StartMode.OnDemand } spec } && spec.StopWhenIdle > TimeSpan.Zero;

    private bool IsConnectionWaiting() => _listeners().Any(handle => handle.Sockets.Any(socket => socket.HasWaiting));

    private void AwaitDemand()
    {
        if (_leftUntil is { } until)
        {
            Unwatch();
            NextDeadline = until;
        }
        else
        {
            WatchListeners(() => _post(new DemandArrived()));
        }
    }

    private void OnChecked(int period, int open)
    {
        if (period != _period)
        {
            return;
        }

        if (open > 0 || !_isOnWatch)
        {
            BeginPeriod(onWatch: open == 0);
        }
        else if (_watched.Count == 0 || _state is { Rollout.IsActive: true })
        {
            // A connection arrived in the meantime, or a roll-out is under way, which has priority.
            BeginPeriod(onWatch: false);
        }
        else
        {
            Unwatch();
            EndPeriod();
            _post(new IdleElapsed());
        }
    }

    private void BeginPeriod(bool onWatch)
    {
        _period++;
        _isOnWatch = onWatch;
        NextDeadline = _loop.Now + _state!.Spec.StopWhenIdle;
        if (onWatch)
        {
            WatchListeners(() => BeginPeriod(onWatch: false));
        }
        else
        {
            Unwatch();
        }
    }

    private void EndPeriod()
    {
        _period++;
        _isOnWatch = false;
        NextDeadline = null;
    }

    /// <summary>Calls <paramref name="onArrival"/> once, for the first connection or datagram that waits.</summary>
    private void WatchListeners(Action onArrival)
    {
        // A reload may have given a listener another socket.
        var descriptors = _listeners().SelectMany(handle => handle.Sockets).Select(socket => socket.Descriptor).ToArray();
        if (_watched.Count > 0 && _watched.SequenceEqual(descriptors))
        {
            return;
        }

        Unwatch();
        _watched.AddRange(descriptors);
        if (!descriptors.All(descriptor => _loop.TryWatch(descriptor, Arrived)))
        {
            // A file that cannot be watched always has something to read.
            _loop.Post(() =>
            {
                if (_watched.SequenceEqual(descriptors))
                {
                    Arrived();
                }
            });
        }

        void Arrived()
        {
            Unwatch();
            onArrival();
        }
    }

    private void Unwatch()
    {
        foreach (var descriptor in _watched)
        {
            _loop.Unwatch(descriptor);
        }

        _watched.Clear();
    }
}
