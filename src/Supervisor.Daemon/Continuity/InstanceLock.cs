using System.Globalization;
using System.Text;
using Supervisor.Control;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Paths;
using Supervisor.Native;

namespace Supervisor.Daemon.Continuity;

/// <summary>
/// The lock of a runtime directory: a locked file with the process id of the daemon that runs there. The kernel releases the lock
/// when the process exits, so a stale file does not matter.
/// </summary>
internal sealed class InstanceLock : IDisposable
{
    private const string Elsewhere = "set another directory with --runtime-directory or daemon.runtime_directory";

    private readonly DescriptorHandle _file;

    private InstanceLock(DescriptorHandle file) => _file = file;

    /// <summary>The locked file. The lock belongs to the open file, so a process that gets this descriptor has the lock too.</summary>
    public DescriptorHandle Descriptor => _file;

    /// <summary>Continues with the lock of a previous daemon, and writes this process's id into its file.</summary>
    public static InstanceLock Adopt(DescriptorHandle file)
    {
        // It is locked already, unless an older version used another kind of lock.
        FileLocks.TryLock(file);
        Sign(file);
        return new InstanceLock(file);
    }

    /// <summary>
    /// Creates the directory if it is missing, and takes the lock; null with the reason. <paramref name="isHeld"/> is whether another
    /// process has the lock.
    /// </summary>
    public static InstanceLock? TryTake(RuntimePaths paths, out bool isHeld, out string? error)
    {
        isHeld = false;

        error = MakeDirectories(paths);
        if (error is not null)
        {
            error = $"runtime directory {paths.Directory}: {error}, or {Elsewhere}";
            return null;
        }

        // 0640: readable for those who may use the control socket. A process that can open a file can take a shared lock on it.
        const int fileMode = 0x1A0;
        var file = TrustedFile.OpenOwn(paths.LockFile, fileMode, PathTrust.InForce, out var refused);
        if (file is null)
        {
            error = $"runtime directory {paths.Directory}: cannot open {paths.LockFile}: {refused}; "
                + $"{FileSystemRemedy.Of(refused?.Error?.Name) ?? "change its owner to this user"}, or {Elsewhere}";
            return null;
        }

        if (!FileLocks.TryLock(file))
        {
            Span<byte> text = stackalloc byte[32];
            var length = Files.Read(file, text, out _);
            var holder = length > 0 ? Encoding.ASCII.GetString(text[..length]).Trim() : null;
            file.Dispose();
            isHeld = true;
            error = $"another listend{(holder is null ? "" : $" (pid {holder})")} runs in {paths.Directory}";
            return null;
        }

        Sign(file);
        error = null;
        return new InstanceLock(file);
    }

    /// <summary>
    /// Makes the directories and the lock file again if they were removed. Null, or the reason why that fails: another daemon may
    /// have begun to use the directory.
    /// </summary>
    public string? Restore(RuntimePaths paths)
    {
        if (MakeDirectories(paths) is { } unmade)
        {
            return unmade;
        }

        if (Files.GetStatus(_file, out var own) is null && Files.GetStatus(paths.LockFile, out var there) is null
            && (own.Device, own.Inode) == (there.Device, there.Inode))
        {
            return null;
        }

        using var made = TryTake(paths, out _, out var error);
        return made is null ? error : Descriptors.DuplicateOnto(made._file, _file)?.ToString();
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    /// <summary>0711: workers of any user must reach their own socket, and need not list the others.</summary>
    private static string? MakeDirectories(RuntimePaths paths)
    {
        const int mode = 0x1C9;
        return Make(paths.Directory, mode, isOurs: false) ?? Make(paths.NotifyDirectory, mode, isOurs: true);
    }

    /// <summary>
    /// Creates the directory and its parents if they are missing. Refuses a directory to which an untrusted user may write, even if it
    /// exists: that user could put a socket, a lock or a state there, which decide what the daemon executes.
    /// </summary>
    private static string? Make(string directory, int mode, bool isOurs)
    {
        var wasThere = Files.GetStatus(directory, out _) is null;
        using var made = PathWalk.MakeDirectories(directory, PathTrust.InForce, mode);
        if (made.FirstFlaw is { } flaw)
        {
            return $"{flaw.Fault}{made.Links}; {flaw.Remedy(TrustedFile.Accept(flaw))}";
        }

        if (made.Target is null || !made.TargetStatus.IsDirectory)
        {
            return $"cannot create it: {made.Error?.ToString() ?? $"{made.RealPath} is not a directory"}; "
                + (FileSystemRemedy.Of(made.Error?.Name) ?? "create it for this user");
        }

        // The umask clears bits of the mode that mkdir() gets.
        if ((isOurs || !wasThere) && made.TargetStatus.Permissions != mode && made.TargetStatus.Uid == Processes.EffectiveUid
            && Files.SetPinnedMode(made.Target, mode) is { } refused)
        {
            return $"{directory}: {refused}; create it for this user";
        }

        return null;
    }

    private static void Sign(DescriptorHandle file) =>
        Files.Replace(file, Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Processes.CurrentPid}\n")));
}
