using Microsoft.Win32.SafeHandles;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Paths;

/// <summary>Opens a file that the user of a command named, with the rights of this process.</summary>
public static class GivenFile
{
    /// <summary>
    /// Opens a file for reading; its name need not be UTF-8. A FIFO is an error, because open(2) would wait for a writer. A pipe that this
    /// process inherited (/dev/stdin, /dev/fd/N) has one.
    /// </summary>
    /// <exception cref="IOException">Also the kinds that .NET has for the causes; the message names the errno.</exception>
    public static Stream OpenToRead(string path)
    {
        if (path.Length == 0 || path.Contains('\0', StringComparison.Ordinal))
        {
            throw new ArgumentException("no path", nameof(path));
        }

        var isInherited = IsInherited(path);
        using var file = Files.OpenToReadTarget(path, waits: isInherited, out var error) ?? throw Exception(error);
        if (Files.GetStatus(file, out var status) is { } refused)
        {
            throw Exception(refused);
        }

        if (status.IsDirectory)
        {
            throw Exception(new SystemCallError("open", EISDIR));
        }

        if (status.IsPipe && !isInherited)
        {
            throw new IOException("it is a FIFO, not a regular file");
        }

        var stream = new FileStream(new SafeFileHandle(file.Number, ownsHandle: true), FileAccess.Read, bufferSize: 0);
        file.SetHandleAsInvalid();
        return stream;
    }

    /// <summary>Whether a path is a descriptor that this process inherited.</summary>
    public static bool IsInherited(string path) =>
        path == "/dev/stdin" || path.StartsWith("/dev/fd/", StringComparison.Ordinal)
        || path.StartsWith("/proc/self/fd/", StringComparison.Ordinal);

    private static Exception Exception(SystemCallError error)
    {
        var message = $"{error.Name} ({error.Text})";
        return error.Errno switch
        {
            ENOENT => new FileNotFoundException(message),
            ENOTDIR => new DirectoryNotFoundException(message),
            EACCES or EISDIR => new UnauthorizedAccessException(message),
            ENAMETOOLONG => new PathTooLongException(message),
            _ => new IOException(message),
        };
    }
}
