using System.Globalization;

namespace Supervisor.Core;

/// <summary>
/// Who requested a change, as the kernel says: SO_PEERCRED of the client's connection, or the sender of a signal.
/// </summary>
/// <param name="Uid">The effective user.</param>
/// <param name="Pid">The process; null if it is in another process id namespace.</param>
/// <param name="Command">The process's short name, /proc/PID/comm; null if the process had exited or is hidden.</param>
public sealed record Requester(uint Uid, int? Pid, string? Command)
{
    /// <summary>Such as <c>uid 0, pid 812 (listenctl)</c>. The name is the process's own choice: escape it for people.</summary>
    public override string ToString()
    {
        var command = Command is null ? "" : $" ({Command})";
        return Pid is null
            ? string.Create(CultureInfo.InvariantCulture, $"uid {Uid}")
            : string.Create(CultureInfo.InvariantCulture, $"uid {Uid}, pid {Pid}{command}");
    }
}
