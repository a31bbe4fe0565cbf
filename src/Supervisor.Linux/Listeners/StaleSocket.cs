using Supervisor.Core.Listeners;
using Supervisor.Native;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// Removes a UNIX socket file on which nobody listens any more, and nothing else: not another kind of file, not a live
/// socket, and not a new one that somebody puts there meanwhile.
/// </summary>
/// <remarks>
/// A path cannot be removed on the condition that it is still the inode that was looked at. So the file is first
/// renamed, which picks one inode for good, then looked at again under its new name, and renamed back where it turns
/// out to be somebody's. A bound socket that does not listen yet refuses connections like a dead one; it is told
/// apart by /proc/net/unix, which lists every socket with its path.
/// </remarks>
public static class StaleSocket
{
    private const int AfUnix = 1;
    private const int ConnectionRefused = 111;
    private const int WrongType = 91;

    /// <summary>True when the file was stale and is gone; <paramref name="why"/> says what was found.</summary>
    public static bool Remove(string path, ListenerKind kind, out string why)
    {
        if (!IsStale(path, path, kind, out var before, out why))
        {
            return false;
        }

        var aside = $"{path}.stale-{Processes.CurrentPid}";
        if (Files.RenameNoReplace(path, aside) is { } error)
        {
            why = $"a stale socket, which could not be removed: {error}";
            return false;
        }

        if (Files.GetStatus(aside, out var moved) is not null || (moved.Device, moved.Inode) != (before.Device, before.Inode))
        {
            Files.RenameNoReplace(aside, path);
            why = "somebody else made a new socket there meanwhile";
            return false;
        }

        if (Files.Unlink(aside) is { } refused)
        {
            Files.RenameNoReplace(aside, path);
            why = $"a stale socket, which could not be removed: {refused}";
            return false;
        }

        why = "a stale socket file: nobody listened there any more; removed";
        return true;
    }

    /// <summary>Whether nobody listens, or is about to listen, on the socket file.</summary>
    public static bool IsStale(string path, string boundPath, ListenerKind kind, out Files.Status status, out string why)
    {
        if (Files.GetStatus(path, out status) is { } error)
        {
            why = $"the path cannot be looked at: {error}";
            return false;
        }

        if (!status.IsSocket)
        {
            why = "not a socket: another kind of file stands there, and only a stale socket is ever removed";
            return false;
        }

        var type = kind switch
        {
            ListenerKind.UnixDatagram => 2,
            ListenerKind.UnixSeqpacket => 5,
            _ => 1,
        };
        using var probe = Sockets.Create(AfUnix, type, 0, nonBlocking: true, out _);
        var raw = SocketAddress.Encode(ListenAddress.Unix(kind, path, isAbstract: false));
        if (probe is null || raw is null)
        {
            why = "it could not be probed";
            return false;
        }

        switch (Sockets.Connect(probe, raw)?.Errno)
        {
            case ConnectionRefused when IsBound(boundPath):
                why = "a process has bound it and does not listen yet";
                return false;
            case ConnectionRefused:
                why = "nobody listens there any more";
                return true;
            case WrongType:
                why = "a live socket of another type";
                return false;
            default:
                why = "somebody listens there";
                return false;
        }
    }

    private static bool IsBound(string path)
    {
        try
        {
            return File.ReadLines("/proc/net/unix").Any(line => line.EndsWith(" " + path, StringComparison.Ordinal));
        }
        catch (IOException)
        {
            return true;
        }
    }
}
