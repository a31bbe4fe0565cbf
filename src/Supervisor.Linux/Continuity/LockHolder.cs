using System.Globalization;
using System.Text;
using Supervisor.Native;

namespace Supervisor.Linux.Continuity;

/// <summary>
/// Who is in charge of a runtime directory, as anybody can see who may read its lock file. A client needs this because the
/// sockets do not tell: they outlive the daemon in the keeper's hands, so connect() succeeds and nobody answers, and
/// SO_PEERCRED names whoever called listen(), which with a successor is a predecessor that has ended. The lock belongs to
/// whoever is in charge, goes with the kernel when that one ends, however it ends, and is handed on without a gap when it is
/// succeeded; a daemon that is stopped or busy still has it. Looking does not take it, so nobody's start is disturbed.
/// </summary>
/// <param name="Lives">Whether there is one; null where it cannot be seen: no lock file, no permission.</param>
/// <param name="Pid">The process id that it, or else the last one, has left; null where it cannot be read. One of its own PID namespace.</param>
public readonly record struct LockHolder(bool? Lives, int? Pid)
{
    /// <summary>Looks at the lock file of a runtime directory.</summary>
    public static LockHolder Of(string lockFile)
    {
        using var file = Files.OpenToRead(lockFile, out _);
        if (file is null || Files.GetStatus(file, out var status) is not null || !status.IsRegular)
        {
            return default;
        }

        Span<byte> text = stackalloc byte[32];
        var length = Math.Max(0, Files.Read(file, text, out _));
        var isNumber = int.TryParse(Encoding.ASCII.GetString(text[..length]).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var pid);
        return new LockHolder(Files.IsLocked(file), isNumber ? pid : null);
    }
}
