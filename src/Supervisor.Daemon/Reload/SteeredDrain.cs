using System.Diagnostics;
using Supervisor.Core.Services;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Reload;

/// <summary>
/// One worker that serves what is left for it before it gets its stop signal. The kernel reports neither an empty queue nor an idle
/// flow, so the sockets are read: flows when the last one can be idle, queues every few milliseconds. On the loop.
/// </summary>
internal sealed class SteeredDrain : IDeadline
{
    private const int RequiredReadings = 3;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(10);

    /// <summary>The daemon or the service may be told to stop in the meantime.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(500);

    private readonly ReloadContext _daemon;
    private readonly ServiceRunner _runner;
    private readonly WorkerState _worker;
    private readonly (ListenerHandle Handle, ListenerSocket Socket)[] _own;
    private readonly Action _ask;
    private readonly TimeSpan _queuesUntil;
    private readonly TimeSpan _flowsUntil;
    private int _empty;

    /// <summary>Begins to wait.</summary>
    /// <param name="daemon">The daemon.</param>
    /// <param name="runner">The service.</param>
    /// <param name="worker">The worker, which drains since now.</param>
    /// <param name="own">Its sockets that get nothing new.</param>
    /// <param name="ask">Sends the stop signal.</param>
    public SteeredDrain(
        ReloadContext daemon, ServiceRunner runner, WorkerState worker, (ListenerHandle Handle, ListenerSocket Socket)[] own, Action ask)
    {
        (_daemon, _runner, _worker, _own, _ask) = (daemon, runner, worker, own, ask);

        // The time-out of the phase kills the worker, so the signal comes a little before.
        var timeout = runner.State.SpecOf(worker.Generation).StopTimeout;
        _queuesUntil = daemon.Loop.Now + QueueDrain.Longest;
        _flowsUntil = daemon.Loop.Now + timeout - Min(timeout / 10, LongestPause);
        NextDeadline = daemon.Loop.Now + Interval;
        daemon.Loop.Add(this);
    }

    /// <inheritdoc/>
    public TimeSpan? NextDeadline { get; private set; }

    /// <inheritdoc/>
    public void PassDeadline()
    {
        var now = _daemon.Loop.Now;
        var isPressed = _daemon.Lifecycle.IsShuttingDown || !_runner.State.IsStarted || _worker.Id is var id
            && _runner.State.Workers.All(worker => worker.Id != id);
        var flows = isPressed || now >= _flowsUntil ? TimeSpan.Zero : LeftOfFlows();
        var waits = !isPressed && now < _queuesUntil && _own.Any(IsWaiting);
        _empty = waits ? 0 : _empty + 1;
        if (!isPressed && now < _flowsUntil && (flows > TimeSpan.Zero || (_empty < RequiredReadings && now < _queuesUntil)))
        {
            NextDeadline = now + Max(Interval, Min(flows, LongestPause));
            return;
        }

        NextDeadline = null;
        _daemon.Loop.Post(() => _daemon.Loop.Remove(this));
        End(isLate: !isPressed && now >= _flowsUntil);
    }

    private void End(bool isLate)
    {
        foreach (var (handle, socket) in _own)
        {
            if (isLate && handle.Spec.Affinity is not null && handle.Sockets.Contains(socket))
            {
                _daemon.Factory.Steerer.MoveFlows(handle, socket);
            }
        }

        // It has the whole time from its signal on.
        _runner.Post(new WorkerTimeoutExtended(_worker.Id, _runner.State.SpecOf(_worker.Generation).StopTimeout));
        _ask();
    }

    /// <summary>How long it takes until all flows can be idle; zero if they are.</summary>
    private TimeSpan LeftOfFlows()
    {
        var now = Stopwatch.GetElapsedTime(0);
        var left = TimeSpan.Zero;
        foreach (var (handle, socket) in _own)
        {
            if (handle is { Steering: { } steering, Spec.Affinity: { } affinity } && handle.Sockets.Contains(socket)
                && steering.LastSeen(socket) is var seen && seen > TimeSpan.Zero)
            {
                left = Max(left, seen + affinity.Idle - now);
            }
        }

        return left;
    }

    private static bool IsWaiting((ListenerHandle Handle, ListenerSocket Socket) own) =>
        own.Handle.Sockets.Contains(own.Socket) && own.Socket.HasWaiting;

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
