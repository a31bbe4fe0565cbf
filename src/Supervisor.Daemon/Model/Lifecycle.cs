namespace Supervisor.Daemon.Model;

/// <summary>How a successor replaces the daemon.</summary>
internal enum SuccessionPhase
{
    /// <summary>No succession is in progress.</summary>
    None,

    /// <summary>An upgrade: the daemon checks the executable on disk, or is about to execute it in this process.</summary>
    ReExecuting,

    /// <summary>A take-over: another process has requested it.</summary>
    HandingOver,
}

/// <summary>Whether the daemon is shutting down, and how it is being replaced. Any part may read it; written on the loop.</summary>
/// <remarks>A shutdown may begin during a succession: the succession then fails before its point of no return.</remarks>
internal sealed class Lifecycle
{
    /// <summary>Whether a shutdown was requested. Nothing is started from then on.</summary>
    public bool IsShuttingDown { get; private set; }

    /// <summary>The succession in progress: begun and not decided.</summary>
    public SuccessionPhase Succession { get; set; }

    /// <summary>Whether a succession is in progress.</summary>
    public bool IsBeingSucceeded => Succession != SuccessionPhase.None;

    /// <summary>Begins the shutdown, which cannot be cancelled.</summary>
    public void BeginShutdown() => IsShuttingDown = true;
}
