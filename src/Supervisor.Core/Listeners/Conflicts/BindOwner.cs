namespace Supervisor.Core.Listeners.Conflicts;

/// <summary>One process and one socket that it holds; a row of <c>owners</c>. Without a pid, the process cannot be seen.</summary>
/// <param name="Pid">The process; null if it cannot be seen.</param>
/// <param name="Command">Its short name.</param>
/// <param name="Unit">Its systemd unit.</param>
/// <param name="Uid">Its effective user; the socket's user if the process cannot be seen.</param>
/// <param name="Address">The socket's local address.</param>
/// <param name="State">The socket's state.</param>
/// <param name="Inode">The socket's inode number.</param>
public sealed record BindOwner(int? Pid, string? Command, string? Unit, uint Uid, string Address, string State, ulong Inode)
{
    /// <summary>The listener of listend that the socket is; null if it is none.</summary>
    public string? Listener { get; init; }

    /// <summary>The services that use that listener, separated by ", "; null if there are none.</summary>
    public string? Service { get; init; }
}
