using System.Globalization;
using Supervisor.Linux.Evidence;
using Supervisor.Linux.Paths;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// A second name (hard link) of each UNIX socket's file: in a private directory of the daemon, or hidden next to the socket if
/// that is another file system. connect(2) finds a socket by the inode of its file (net/unix/af_unix.c, unix_find_bsd). So a
/// removed file is put back as another link: it is the same socket, clients that wait in its queue stay, and no worker is
/// replaced. On the loop.
/// </summary>
internal sealed class SocketSpares(string directory)
{
    /// <summary>0700: a name here must not let anybody connect who could not reach the socket's own directory.</summary>
    private const int Mode = 0x1C0;

    /// <summary>Gives the listener's socket file a second name, if it does not have one.</summary>
    public void Keep(ListenerHandle handle)
    {
        if (handle is not { PathIdentity: { } identity, Spec.Address: { HasFile: true, Path: { } path } })
        {
            return;
        }

        using var place = SocketPlace.Open(path, out _, out _);
        handle.RealPath = place?.RealPath;
        using var file = place?.Pin(out _);
        if (file is null || Files.GetStatus(file, out var status) is not null || (status.Device, status.Inode) != identity)
        {
            return;
        }

        var hidden = Hidden(identity);
        var isHidden = false;
        if (status.Links > 1)
        {
            isHidden = Files.GetStatus(Path.Combine(directory, Name(identity)), out _) is not null && place!.Identity(hidden) == identity;
        }
        else if (KeepInDirectory(file, Name(identity))?.Errno == EXDEV)
        {
            place!.Unlink(hidden);
            isHidden = place.Link(file, hidden) is null;
        }

        handle.Aside.Hidden = isHidden ? new AsideFile(path[..^place!.Name.Length] + hidden, identity) : null;
    }

    /// <summary>Puts the file back at its path, over what is there now. ENOENT without a second name.</summary>
    public SystemCallError? PutBack(SocketPlace place, (ulong, ulong) identity)
    {
        using var spare = Find(place, identity);
        if (spare is null)
        {
            return new SystemCallError("linkat", ENOENT);
        }

        var free = $"{Hidden(identity)}.new";
        place.Unlink(free);
        return place.Link(spare, free) ?? place.Rename(free, place.Name);
    }

    /// <summary>Whether a file is a socket of this daemon.</summary>
    public bool Has(SocketPlace place, (ulong, ulong) identity)
    {
        using var spare = Find(place, identity);
        return spare is not null;
    }

    /// <summary>Removes the second name: the socket is closed.</summary>
    public void Drop((ulong, ulong) identity, string path)
    {
        Files.Unlink(Path.Combine(directory, Name(identity)));
        using var place = SocketPlace.Open(path, out _, out _);
        place?.Unlink(Hidden(identity));
    }

    /// <summary>Removes the names that an earlier daemon has left. Before the first listener is made.</summary>
    public void Clear() => Remove(_ => true);

    /// <summary>
    /// Removes the names of sockets that no listener has: an earlier daemon was killed while a socket that it had replaced was
    /// still held.
    /// </summary>
    public void ClearOthers(IEnumerable<ListenerHandle> handles)
    {
        var kept = handles.Where(handle => handle.PathIdentity is not null).Select(handle => Name(handle.PathIdentity!.Value)).ToHashSet();
        Remove(file => IsName(Path.GetFileName(file)) && !kept.Contains(Path.GetFileName(file))
            && Files.GetStatus(file, out var status) is null && status.IsSocket);
    }

    private static bool IsName(string file) =>
        file.Split('-') is [var device, var inode] && IsHexadecimal(device) && IsHexadecimal(inode);

    private static bool IsHexadecimal(string text) => text.Length > 0 && text.All(char.IsAsciiHexDigitLower);

    private void Remove(Predicate<string> isLeft)
    {
        try
        {
            foreach (var left in Directory.EnumerateFileSystemEntries(directory).Where(file => isLeft(file)).ToArray())
            {
                Files.Unlink(left);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // There is no such directory yet.
        }
    }

    private SystemCallError? KeepInDirectory(DescriptorHandle file, string name)
    {
        using var made = PathWalk.MakeDirectories(directory, PathTrust.InForce, Mode);
        if (made is not { Target: { } target, FirstFlaw: null })
        {
            return made.Error;
        }

        var error = FilesAt.Link(file, target, name);
        if (error?.Errno == EEXIST)
        {
            // Of a socket that no longer exists: the file system has used its inode number again.
            FilesAt.Unlink(target, name);
            error = FilesAt.Link(file, target, name);
        }

        return error;
    }

    private DescriptorHandle? Find(SocketPlace place, (ulong, ulong) identity)
    {
        string[] paths = [Path.Combine(directory, Name(identity)), place.Path[..^place.Name.Length] + Hidden(identity)];
        foreach (var path in paths)
        {
            var file = Files.Pin(path, out _);
            if (file is not null && Files.GetStatus(file, out var status) is null && (status.Device, status.Inode) == identity)
            {
                return file;
            }

            file?.Dispose();
        }

        return null;
    }

    private static string Name((ulong Device, ulong Inode) identity) =>
        string.Create(CultureInfo.InvariantCulture, $"{identity.Device:x}-{identity.Inode:x}");

    private static string Hidden((ulong, ulong) identity) => $".listend-{Name(identity)}";
}
