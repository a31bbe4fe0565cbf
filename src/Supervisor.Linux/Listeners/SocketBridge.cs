using System.Globalization;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Native;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// Two SO_REUSEPORT sockets of one address, of which one is to take the other's place without losing a connection.
/// </summary>
/// <remarks>
/// The kernel spreads new connections over both by a hash, also over one that nobody accepts on, and whoever waits in a
/// queue when its socket is closed is reset. So the group is told whom to give new connections to: to the former one
/// until somebody accepts on the successor, to both while both are served, and to the one that stays before the last
/// worker of the other is asked to leave; what waits in that one's queue by then is still served by that worker.
/// The group, and with it the program, is there only once both listen; until then the new one drops what the hash gives
/// it, and those clients try again a second later.
/// The group is known: the former socket had no SO_REUSEPORT before, so it is the first and the successor the second.
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
        if (successor is { DropsIncoming: true, Descriptor: { } socket })
        {
            Note(successor, "SO_DETACH_FILTER", Sockets.TakeIncoming(socket), "new connections are steered");
            successor.DropsIncoming = false;
        }
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
    /// The other one is closed, or about to be. It stays steered: whoever else holds the closed one (the keeper, until it
    /// hears of it) keeps it in the group for a moment, and what the hash gave it would be reset. In a group of one the
    /// program changes nothing: a number that nobody has leaves the choice to the hash.
    /// </summary>
    public void End(ListenerHandle left) => Steer(left);

    /// <inheritdoc/>
    public ISocketBridge? Onto(ListenerHandle successor) => null;

    private static void Note(ListenerHandle handle, string option, SystemCallError? error, string note) => handle.History.Add(
        HandlePhase.PostListen, "setsockopt", option, errno: error?.Name, verdict: error is null ? Verdict.Exact : Verdict.Refused,
        actor: new HistoryActor(Processes.CurrentPid, "listend"), note: "reload: " + note);
}
