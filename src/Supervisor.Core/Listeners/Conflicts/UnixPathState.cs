namespace Supervisor.Core.Listeners.Conflicts;

/// <summary>What is at the path of a UNIX socket.</summary>
public enum UnixPathState
{
    /// <summary>Nothing.</summary>
    Free,

    /// <summary>A live socket: it accepts, or has bound the path for datagrams.</summary>
    Live,

    /// <summary>A socket that a process has bound and that does not listen yet.</summary>
    BoundNotListening,

    /// <summary>A socket file without a socket.</summary>
    Stale,

    /// <summary>A file of another kind.</summary>
    OtherFile,

    /// <summary>Unknown: the path cannot be examined.</summary>
    Unknown,
}
