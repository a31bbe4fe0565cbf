using System.Globalization;
using System.Text;
using Supervisor.Control;
using Supervisor.Native;

namespace Supervisor.Daemon;

/// <summary>
/// The claim on a runtime directory: a locked file, which says who is in charge of what lies there. The kernel lets go
/// of the lock with the process, however it ends, so a stale file stops nobody.
/// </summary>
internal sealed class RuntimeClaim : IDisposable
{
    private const int OpenReadWrite = 2;
    private const int OpenCreate = 0x40;

    private readonly DescriptorHandle _file;

    private RuntimeClaim(DescriptorHandle file) => _file = file;

    /// <summary>The locked file. The lock belongs to the open file, so whoever is given this descriptor has it too.</summary>
    public DescriptorHandle Descriptor => _file;

    /// <summary>The claim of a predecessor, by its locked file, which says from now on that it is this process's.</summary>
    public static RuntimeClaim Adopt(DescriptorHandle file)
    {
        // It is locked already, unless by a predecessor that locked otherwise.
        Files.TryLock(file);
        Sign(file);
        return new RuntimeClaim(file);
    }

    /// <summary>Makes the directory where it is missing, and takes the lock; null with the reason where that cannot be, and in <paramref name="isHeld"/> whether another one has it.</summary>
    public static RuntimeClaim? TryTake(RuntimePaths paths, out bool isHeld, out string? error)
    {
        isHeld = false;
        try
        {
            // Said twice, since the umask takes bits of what mkdir() is given: workers of any user must reach their socket.
            const UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
                | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
            foreach (var directory in new[] { paths.Directory, paths.NotifyDirectory }.Where(directory => !Directory.Exists(directory)))
            {
                Directory.CreateDirectory(directory, mode);
                File.SetUnixFileMode(directory, mode);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            error = $"runtime directory {paths.Directory}: it cannot be made: {exception.Message}; make it for this user, or name another by --runtime-directory or daemon.runtime_directory";
            return null;
        }

        // 0640: to be looked at by whoever may read the control socket; who can open a file can lock it, for reading at least.
        const int fileMode = 0x1A0;
        var file = Files.Open(paths.LockFile, OpenReadWrite | OpenCreate, fileMode, out var refused);
        if (file is null)
        {
            error = $"runtime directory {paths.Directory}: {paths.LockFile} cannot be opened: {refused}; it belongs to another user: name another directory by --runtime-directory or daemon.runtime_directory";
            return null;
        }

        if (!Files.TryLock(file))
        {
            Span<byte> text = stackalloc byte[32];
            var length = Files.Read(file, text, out _);
            var holder = length > 0 ? Encoding.ASCII.GetString(text[..length]).Trim() : null;
            file.Dispose();
            isHeld = true;
            error = $"another listend{(holder is null ? "" : $" (pid {holder})")} is in charge of {paths.Directory}";
            return null;
        }

        Sign(file);
        error = null;
        return new RuntimeClaim(file);
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static void Sign(DescriptorHandle file) => Files.Replace(file, Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Processes.CurrentPid}\n")));
}
