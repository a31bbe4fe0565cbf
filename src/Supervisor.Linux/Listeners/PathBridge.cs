using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Linux.Evidence;
using Supervisor.Native;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// Two UNIX sockets of one path. The file of the socket that does not have the path is kept next to it, because a socket whose
/// file is removed can never be reached again. If the successor is rolled back, the two files are exchanged.
/// </summary>
/// <remarks>connect(2) looks a socket up by the inode of its file, under any name (net/unix/af_unix.c,
/// unix_find_bsd).</remarks>
public sealed class PathBridge : ISocketBridge
{
    private readonly string _path;
    private readonly AsideFile _aside;
    private readonly (ulong, ulong)? _formerFile;
    private readonly (ulong, ulong)? _successorFile;

    private PathBridge(ListenerHandle former, ListenerHandle successor, AsideFile aside)
    {
        Former = former;
        Successor = successor;
        _path = successor.Spec.Address.Path!;
        _aside = aside;
        using var place = SocketPlace.Open(_path, out _, out _);
        _formerFile = place?.Identity(Path.GetFileName(_aside.Path));
        _successorFile = place?.Identity();
    }

    /// <summary>A bridge between a socket and its successor; null if the successor did not take its path by exchange.</summary>
    public static PathBridge? Between(ListenerHandle former, ListenerHandle successor) =>
        successor.Aside.Former is { } aside ? new PathBridge(former, successor, aside) : null;

    /// <inheritdoc/>
    public ListenerHandle Former { get; }

    /// <inheritdoc/>
    public ListenerHandle Successor { get; }

    /// <inheritdoc/>
    public void Steer(ListenerHandle target)
    {
        var (wanted, other) = target == Former ? (_formerFile, _successorFile) : (_successorFile, _formerFile);

        // A file that another process put there in the meantime is not removed.
        var aside = Path.GetFileName(_aside.Path);
        using var place = SocketPlace.Open(_path, out _, out _);
        if (wanted is null || place is null || place.Identity(aside) != wanted || place.Identity() != other)
        {
            return;
        }

        var error = place.Exchange(aside, place.Name);
        target.History.Add(
            HandlePhase.Bind, "renameat2", "address", errno: error?.Name, verdict: error is null ? Verdict.Exact : Verdict.Refused,
            actor: new HistoryActor(Processes.CurrentPid, "listend"), note: $"reload: restored the path: exchanged with {_aside.Path}");
    }

    /// <inheritdoc/>
    public void Share()
    {
        // Only one socket can have a path.
    }

    /// <inheritdoc/>
    public void End(ListenerHandle left)
    {
        Steer(left);
        var aside = Path.GetFileName(_aside.Path);
        using var place = SocketPlace.Open(_path, out _, out _);
        if (place?.Identity(aside) is { } there && there == (left == Former ? _successorFile : _formerFile))
        {
            place.Unlink(aside);
        }

        _aside.IsRemoved = true;
    }

    /// <inheritdoc/>
    public ISocketBridge? Onto(ListenerHandle successor) => new PathBridge(Former, successor, _aside);
}
