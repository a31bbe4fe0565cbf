using Supervisor.Core.Listeners;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;

namespace Supervisor.Daemon.Reload;

/// <summary>
/// Waits until the queues of retiring sockets are empty, at most for <see cref="Longest"/>, and then calls back. The kernel
/// reports a queue's first connection, but not that a queue is empty, so the queues are polled. On the loop.
/// </summary>
internal sealed class QueueDrain : IDeadline
{
    /// <summary>A worker that has not emptied its queue within this time has stopped accepting.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(2);

    private const int RequiredReadings = 3;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(10);

    private readonly EventLoop _loop;
    private readonly Func<bool> _isEmpty;
    private readonly Action _then;
    private readonly TimeSpan _until;
    private int _empty;

    /// <param name="loop">The loop.</param>
    /// <param name="isEmpty">Whether all the queues are empty.</param>
    /// <param name="then">Called when the queues are empty, or when the time is up.</param>
    /// <param name="notBefore">When the queues are read for the first time; null for at once.</param>
    public QueueDrain(EventLoop loop, Func<bool> isEmpty, Action then, TimeSpan? notBefore = null)
    {
        _loop = loop;
        _isEmpty = isEmpty;
        _then = then;
        var first = notBefore is { } later && later > loop.Now ? later : loop.Now;
        _until = first + Longest;
        NextDeadline = first + Interval;
        loop.Add(this);
    }

    /// <inheritdoc/>
    public TimeSpan? NextDeadline { get; private set; }

    /// <inheritdoc/>
    public void PassDeadline()
    {
        // A connection whose handshake has not ended enters the queue a moment later: one empty reading proves nothing.
        _empty = _isEmpty() ? _empty + 1 : 0;
        if (_empty < RequiredReadings && _loop.Now < _until)
        {
            NextDeadline = _loop.Now + Interval;
            return;
        }

        NextDeadline = null;
        _loop.Post(() => _loop.Remove(this));
        _then();
    }

    /// <summary>Whether the queue of a listener is empty, of connections or of datagrams.</summary>
    public static bool IsEmpty(ListenerHandle handle) => handle.Descriptor is not { } socket || handle.Spec.Address.Kind switch
    {
        ListenerKind.Udp or ListenerKind.UnixDatagram => !handle.Sockets.Any(one => one.HasWaiting),
        var kind => !kind.Listens() || AcceptQueue.Read(socket, kind, handle.Inode) is not { Length: > 0 },
    };
}
