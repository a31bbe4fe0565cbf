namespace Supervisor.Linux.Listeners;

/// <summary>What is at the path of a UNIX listener.</summary>
internal enum SocketFileState
{
    /// <summary>The file of the listener's socket.</summary>
    InPlace,

    /// <summary>Nothing.</summary>
    Missing,

    /// <summary>The socket of another process.</summary>
    OtherSocket,

    /// <summary>Another message queue.</summary>
    OtherQueue,

    /// <summary>Another kind of file.</summary>
    OtherFile,

    /// <summary>The directory does not exist.</summary>
    DirectoryMissing,

    /// <summary>It cannot be seen.</summary>
    Unknown,
}
