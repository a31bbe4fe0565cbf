namespace Supervisor.Daemon.Model;

/// <summary>How the daemon is being replaced by a successor.</summary>
internal enum SuccessionPhase
{
    /// <summary>It is not.</summary>
    None,

    /// <summary>The executable on disk is checked, or about to be executed in this process.</summary>
    ReExecuting,

    /// <summary>Another process has asked to take over.</summary>
    HandingOver,
}

/// <summary>Whether the daemon is shutting down, and how it is being replaced. Any part may read it; written on the loop.</summary>
/// <remarks>A shutdown may begin during a succession: the succession then fails before its point of no return.</remarks>
internal sealed class Lifecycle
{
    /// <summary>Whether a shutdown was requested. Nothing is started from then on.</summary>
    public bool IsShuttingDown { get; private set; }

    /// <summary>The succession that has begun and is not decided.</summary>
    public SuccessionPhase Succession { get; set; }

    /// <summary>Whether a succession has begun and is not decided.</summary>
    public bool IsBeingSucceeded => Succession != SuccessionPhase.None;

    /// <summary>Begins the shutdown; it cannot be taken back.</summary>
    public void BeginShutdown() => IsShuttingDown = true;
}
