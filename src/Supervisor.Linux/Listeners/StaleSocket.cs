using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Plan;
using Supervisor.Linux.Evidence;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Paths;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// Removes a UNIX socket file on which no process listens. It never removes another kind of file, a live socket, or a new
/// socket that another process makes in the meantime.
/// </summary>
/// <remarks>
/// A path cannot be removed on the condition that it is still the examined file. The inode number proves nothing, because a
/// file system reuses the number of a removed file. So the file is pinned first: its number is then not reused, and a dead
/// socket file stays dead. After a rename to another name it can be compared, and moved back if it is another process's file. A
/// bound socket that does not listen yet refuses connections like a dead one. /proc/net/unix, which lists every socket with its
/// path, tells them apart.
/// </remarks>
internal static class StaleSocket
{
    /// <summary>True if the file was stale and is removed; <paramref name="why"/> has the finding.</summary>
    public static bool Remove(SocketPlace place, ListenerKind kind, out string why)
    {
        using var file = place.Pin(out var error);
        if (file is null)
        {
            why = $"the path cannot be examined: {error}";
            return false;
        }

        return IsStale(file, place.Path, kind, out why) && Remove(file, place, out why);
    }

    /// <summary>Removes the pinned file, which is stale, if the name still refers to it.</summary>
    internal static bool Remove(DescriptorHandle file, SocketPlace place, out string why)
    {
        var aside = $"{place.Name}.stale-{Processes.CurrentPid}";
        if (place.RenameNoReplace(place.Name, aside) is { } error)
        {
            why = $"a stale socket that could not be removed: {error}";
            return false;
        }

        if (Files.GetStatus(file, out var stale) is not null || place.GetStatus(out var moved, aside) is not null
            || (stale.Device, stale.Inode) != (moved.Device, moved.Inode))
        {
            why = "another process made a new socket there in the meantime" + PutBack(place, aside);
            return false;
        }

        if (place.Unlink(aside) is { } refused)
        {
            why = $"a stale socket that could not be removed: {refused}" + PutBack(place, aside);
            return false;
        }

        why = "a stale socket file: no process listened on it; removed";
        return true;
    }

    /// <summary>
    /// Whether no process listens, or is about to listen, on the pinned socket file that was bound as <paramref name="path"/>.
    /// </summary>
    internal static bool IsStale(DescriptorHandle file, string path, ListenerKind kind, out string why)
    {
        if (Files.GetStatus(file, out var status) is { } error)
        {
            why = $"the path cannot be examined: {error}";
            return false;
        }

        if (!status.IsSocket)
        {
            why = "not a socket: only a stale socket is removed";
            return false;
        }

        using var probe = ListenerSockets.Open(new CreateStep(kind, SocketDomain.Unix, NonBlocking: true), out _);
        var raw = Sockaddr.Encode(ListenAddress.Unix(kind, Files.PinnedPath(file), isAbstract: false));
        if (probe is null || raw is null)
        {
            why = "it could not be probed";
            return false;
        }

        switch (Sockets.Connect(probe, raw)?.Errno)
        {
            case EACCES:
                why = "it cannot be probed: this user may not write to it";
                return false;
            case ECONNREFUSED when IsBoundSomewhere(path):
                why = "a process has bound it and does not listen yet";
                return false;
            case ECONNREFUSED:
                why = "no process listens there";
                return true;
            case EPROTOTYPE:
                why = "a live socket of another type";
                return false;
            default:
                why = "a process listens there";
                return false;
        }
    }

    private static string PutBack(SocketPlace place, string aside) =>
        place.RenameNoReplace(aside, place.Name) is { } error ? $"; it is at {aside} now, because it could not be moved back: {error}" : "";

    /// <summary>
    /// Other users own the paths that they have bound, so a separate thread examines them. A path that does not answer counts
    /// as bound.
    /// </summary>
    private static bool IsBoundSomewhere(string path) =>
        !new ForeignCall<bool>(null, () => IsBound(path), static _ => true).TryGet(SocketPlace.Patience, out var isBound) || isBound;

    /// <summary>
    /// Whether a living socket was bound to that name in that directory. /proc/net/unix has the path as bind() got it, which
    /// may contain a symbolic link (/var/run), or be relative to an unknown directory.
    /// </summary>
    private static bool IsBound(string path)
    {
        try
        {
            return File.ReadLines("/proc/net/unix").Skip(1).Any(line =>
                line.EndsWith(Path.GetFileName(path), StringComparison.Ordinal)
                && line.Split(' ', 8, StringSplitOptions.RemoveEmptyEntries) is [.., var bound]
                && Path.GetFileName(bound) == Path.GetFileName(path)
                && (!Path.IsPathRooted(bound) || IsSameDirectory(Path.GetDirectoryName(bound)!, Path.GetDirectoryName(path)!)));
        }
        catch (IOException)
        {
            return true;
        }
    }

    /// <summary>With "/." at the end, a symbolic link is followed.</summary>
    private static bool IsSameDirectory(string one, string other) => one == other
        || (Files.GetStatus(one + "/.", out var first) is null && Files.GetStatus(other + "/.", out var second) is null
            && (first.Device, first.Inode) == (second.Device, second.Inode));
}
