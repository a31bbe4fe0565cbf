using System.Globalization;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Native;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// Two SO_REUSEPORT sockets of one address: the successor replaces the former socket without losing a connection.
/// </summary>
/// <remarks>
/// The kernel spreads new connections over both by a hash, also over a socket on which no worker accepts, and resets the
/// connections that wait in a queue when its socket is closed. So a program selects the socket that gets new connections:
/// the former one until a worker accepts on the successor, both while both are served, and the one that stays before the last
/// worker of the other drains. That worker still serves what waits in its queue.
/// The group, and with it the program, exists only when both listen. Until then a listening successor drops what the hash gives
/// it, and those clients try again a second later.
/// A datagram socket is in the group from bind() on, and drops nothing: what the hash gives it before the program is attached waits
/// for its first worker.
/// The order is known: the former socket had no SO_REUSEPORT before, so it is the first and the successor the second.
/// </remarks>
public sealed class SocketBridge : ISocketBridge
{
    private const string Steering = "SO_ATTACH_REUSEPORT_CBPF";

    private ListenerHandle? _target;

    /// <summary>A bridge between a socket and its successor, which has just been bound; new connections go to the former.</summary>
    public SocketBridge(ListenerHandle former, ListenerHandle successor)
    {
        Former = former;
        Successor = successor;
        Steer(former);
        TakeIncoming(successor);
    }

    /// <inheritdoc/>
    public ListenerHandle Former { get; }

    /// <inheritdoc/>
    public ListenerHandle Successor { get; }

    /// <inheritdoc/>
    public void Steer(ListenerHandle target)
    {
        if (target == _target || target.Descriptor is null)
        {
            return;
        }

        _target = target;
        var error = Sockets.SteerReusePort(target.Descriptor, target == Former ? 0 : 1);
        Note(target, Steering, error, $"new connections go to inode {target.Inode.ToString(CultureInfo.InvariantCulture)}");
    }

    /// <inheritdoc/>
    public void Share()
    {
        if (_target is { Descriptor: { } socket } target)
        {
            _target = null;
            Note(target, "SO_DETACH_REUSEPORT_BPF", Sockets.ReleaseReusePort(socket), "new connections go to both sockets");
        }
    }

    /// <summary>
    /// The other socket is closed, or about to be. The program stays: another holder of the closed socket (the fd holder, until
    /// it is told) keeps it in the group for a moment, and what the hash gave it would be reset. In a group of one the program
    /// changes nothing: for a place without a socket, the kernel uses the hash.
    /// </summary>
    public void End(ListenerHandle left) => Steer(left);

    /// <inheritdoc/>
    public ISocketBridge? Onto(ListenerHandle successor) => null;

    /// <summary>The new socket no longer drops what arrives: a program selects.</summary>
    internal static void TakeIncoming(ListenerHandle successor)
    {
        if (successor is { DropsIncoming: true, Descriptor: { } socket })
        {
            Note(successor, "SO_DETACH_FILTER", Sockets.TakeIncoming(socket), "new connections are steered");
            successor.DropsIncoming = false;
        }
    }

    private static void Note(ListenerHandle handle, string option, SystemCallError? error, string note) => handle.History.Add(
        HandlePhase.PostListen, "setsockopt", option, errno: error?.Name, verdict: error is null ? Verdict.Exact : Verdict.Refused,
        actor: new HistoryActor(Processes.CurrentPid, "listend"), note: "reload: " + note);
}
