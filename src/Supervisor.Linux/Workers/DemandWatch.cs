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
/// <para>A probe of liveness is not a client. While one is under way, the loop does not watch, and a check waits for its end.</para>
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

    /// <summary>How many probes are under way.</summary>
    private int _probes;
    private bool _isCheckDue;
    private volatile bool _pausesForProbes;

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
        _pausesForProbes = CanBeIdle(state);
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

        if (_probes > 0)
        {
            _isCheckDue = true;
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

    /// <summary>
    /// Announces a probe of the service's workers; null: its connections start nothing. It ends when the result is disposed of.
    /// Any thread.
    /// </summary>
    public async Task<IDisposable?> BeginProbeAsync(CancellationToken end)
    {
        if (!_pausesForProbes)
        {
            return null;
        }

        var begun = new TaskCompletionSource<IDisposable>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var cancelled = end.Register(() => begun.TrySetCanceled(end));
        _loop.Post(() =>
        {
            BeginProbe();
            if (!begun.TrySetResult(new Probe(this)))
            {
                EndProbe();
            }
        });
        return await begun.Task;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _pausesForProbes = false;
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

        if (_probes > 0)
        {
            _isCheckDue = true;
        }
        else if (open > 0 || !_isOnWatch)
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

    private void BeginProbe()
    {
        if (_probes++ == 0 && _isOnWatch)
        {
            Unwatch();
        }
    }

    private void EndProbe()
    {
        if (--_probes > 0)
        {
            return;
        }

        if (_isOnWatch)
        {
            WatchForActivity();
        }

        if (_isCheckDue)
        {
            _isCheckDue = false;
            PassDeadline();
        }
    }

    private void BeginPeriod(bool onWatch)
    {
        _period++;
        _isCheckDue = false;
        _isOnWatch = onWatch;
        NextDeadline = _loop.Now + _state!.Spec.StopWhenIdle;
        if (onWatch && _probes == 0)
        {
            WatchForActivity();
        }
        else
        {
            Unwatch();
        }
    }

    private void WatchForActivity() => WatchListeners(() => BeginPeriod(onWatch: false));

    private void EndPeriod()
    {
        _period++;
        _isOnWatch = false;
        _isCheckDue = false;
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

    private sealed class Probe(DemandWatch watch) : IDisposable
    {
        public void Dispose() => watch._loop.Post(watch.EndProbe);
    }
}
