using Supervisor.Core.Listeners;
using Supervisor.Linux;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;

namespace Supervisor.Daemon.Reload;

/// <summary>
/// Waits until nobody waits in the queues of sockets that are on their way out, and then goes on; no longer than
/// <see cref="Longest"/>. The kernel announces that a queue is not empty and never that it is, so this looks; it exists
/// for these moments alone. On the loop.
/// </summary>
internal sealed class QueueDrain : IDeadline
{
    /// <summary>A worker that does not accept for so long will not.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(2);

    private const int LooksInARow = 3;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(10);

    private readonly EventLoop _loop;
    private readonly Func<bool> _isEmpty;
    private readonly Action _then;
    private readonly TimeSpan _until;
    private int _empty;

    /// <param name="loop">The loop.</param>
    /// <param name="isEmpty">Whether nobody waits in any of the queues.</param>
    /// <param name="then">What to do when their queues are empty, or it takes too long.</param>
    /// <param name="notBefore">When it is looked for the first time; null for at once.</param>
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
        // A connection whose handshake is not over shows up in the queue a moment later: empty once is not empty.
        _empty = _isEmpty() ? _empty + 1 : 0;
        if (_empty < LooksInARow && _loop.Now < _until)
        {
            NextDeadline = _loop.Now + Interval;
            return;
        }

        NextDeadline = null;
        _loop.Post(() => _loop.Remove(this));
        _then();
    }

    /// <summary>Whether nobody waits in the queue of a listener.</summary>
    public static bool IsEmpty(ListenerHandle handle) =>
        handle.Descriptor is not { } socket || !handle.Spec.Address.Kind.Listens() || AcceptQueue.Read(socket, handle.Spec.Address.Kind, handle.Inode) is not { Length: > 0 };
}
