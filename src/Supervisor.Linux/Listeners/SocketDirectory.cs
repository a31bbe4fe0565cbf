using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Options;
using Supervisor.Linux.Paths;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// Makes the missing directories of a path, each recorded. It accesses nothing in a directory that another user can replace, so the
/// loop does not wait for a file system of another user.
/// </summary>
internal static class SocketDirectory
{
    /// <summary>
    /// Makes what is missing, with exactly <paramref name="mode"/>, owned by the daemon's user.
    /// </summary>
    /// <param name="history">Where each call is recorded.</param>
    /// <param name="folder">The directory.</param>
    /// <param name="mode">Permission bits.</param>
    /// <param name="note">Why nothing is made, if the errno alone does not say it.</param>
    /// <returns>The refused call; null if the directory exists now.</returns>
    public static SystemCallError? Make(HistoryRecorder history, string folder, int mode, out string? note)
    {
        note = null;
        while (true)
        {
            using var walk = PathWalk.Of(folder, PathTrust.InForce, stopAtFlaw: true);
            if (walk.FirstFlaw is { } flaw)
            {
                note = $"{folder} is not created: {flaw.FaultAtOnce}; {flaw.Remedy(TrustedFile.Accept(flaw))}";
                return new SystemCallError("mkdirat", EACCES);
            }

            if (walk.Target is not null)
            {
                return walk.TargetStatus.IsDirectory ? null : new SystemCallError("mkdirat", ENOTDIR);
            }

            if (walk is not { Parent: { } parent, Error: null or { Errno: ENOENT } })
            {
                return walk.Error ?? new SystemCallError("mkdirat", ENOENT);
            }

            var error = FilesAt.MakeDirectory(parent, walk.Name, mode);
            if (error?.Errno == EEXIST)
            {
                continue;
            }

            using var made = error is null ? FilesAt.Pin(parent, walk.Name, out _) : null;
            error ??= made is null ? null : Files.SetPinnedMode(made, mode);
            history.AddSetting(
                HandlePhase.PreBind, "mkdirat", "directory_mode", OptionValue.Of("0" + Convert.ToString(mode, 8)), error,
                Path.Join(walk.RealPath, walk.Name));
            if (error is not null)
            {
                return error;
            }
        }
    }
}
