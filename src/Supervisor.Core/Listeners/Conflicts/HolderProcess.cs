namespace Supervisor.Core.Listeners.Conflicts;

/// <summary>A process that holds a socket.</summary>
/// <param name="Pid">Its process id.</param>
/// <param name="Command">Its short name, /proc/PID/comm.</param>
/// <param name="CommandLine">Its command line, arguments separated by blanks; null if it cannot be read.</param>
/// <param name="Unit">The systemd unit that its control group names; null for none.</param>
/// <param name="Uid">Its effective user.</param>
/// <param name="IsPredecessor">Whether it is a previous instance or worker of the requesting service.</param>
public sealed record HolderProcess(int Pid, string Command, string? CommandLine, string? Unit, uint Uid, bool IsPredecessor)
{
    /// <summary>Whether it is the process that wants to bind: it has inherited the socket, and not by LISTEN_FDS for itself.</summary>
    public bool IsSelf { get; init; }

    /// <summary>Whether it is a listend.</summary>
    public bool IsListend => Command == "listend";

    /// <summary>
    /// Whether it keeps the sockets of a listend for its successor, by its name (docs/decisions/0005-descriptor-keeper.md).
    /// </summary>
    public bool IsKeeper => Command == "listend-keeper";

    /// <summary>Whether it is systemd, which holds the socket for a socket unit.</summary>
    public bool IsSocketUnit => Unit?.EndsWith(".socket", StringComparison.Ordinal) == true;
}
