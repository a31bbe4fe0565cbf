using System.Globalization;
using System.Text;
using Supervisor.Native;

namespace Supervisor.Linux.Continuity;

/// <summary>
/// The daemon that runs in a runtime directory, read from its lock file. The sockets do not show it: the keeper holds them when
/// the daemon has died, so connect() succeeds and nothing answers, and SO_PEERCRED names the process that called listen(), which
/// may be a previous daemon. The running daemon has the lock, also while it is stopped or busy. The kernel releases the lock when
/// the daemon exits, and a succession passes it on without a gap. Reading does not take the lock.
/// </summary>
/// <param name="Lives">Whether a daemon has the lock; null if that is unknown: no lock file, or no permission.</param>
/// <param name="Pid">The process id in the file, of this or the previous daemon, in its own PID namespace; null if it cannot be
/// read.</param>
public readonly record struct LockHolder(bool? Lives, int? Pid)
{
    /// <summary>Reads the lock file of a runtime directory.</summary>
    public static LockHolder Of(string lockFile)
    {
        using var file = Files.OpenToRead(lockFile, out _);
        if (file is null || Files.GetStatus(file, out var status) is not null || !status.IsRegular)
        {
            return default;
        }

        Span<byte> text = stackalloc byte[32];
        var length = Math.Max(0, Files.Read(file, text, out _));
        var isNumber = int.TryParse(
            Encoding.ASCII.GetString(text[..length]).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var pid);
        return new LockHolder(FileLocks.IsLocked(file), isNumber ? pid : null);
    }
}
