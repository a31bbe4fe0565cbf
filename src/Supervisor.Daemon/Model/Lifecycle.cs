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

/// <summary>A request to stop the daemon, by a signal.</summary>
/// <param name="At">When it came.</param>
/// <param name="Delay">For how long the workers serve on before they are stopped.</param>
internal sealed record StopRequest(DateTimeOffset At, TimeSpan Delay);

/// <summary>Whether the daemon is shutting down, and how it is being replaced. Any part may read it; written on the loop.</summary>
/// <remarks>A shutdown may begin during a succession: the succession then fails before its point of no return.</remarks>
internal sealed class Lifecycle
{
    /// <summary>A stop was requested.</summary>
    public event Action? StopRequested;

    /// <summary>The request to stop; null if there was none.</summary>
    public StopRequest? Stop { get; private set; }

    /// <summary>
    /// Whether a stop was requested. The daemon is not ready from then on, and refuses changes, reloads and successions. During
    /// <c>daemon.stop_delay</c> it supervises its workers as before.
    /// </summary>
    public bool IsStopRequested => Stop is not null || IsShuttingDown;

    /// <summary>Whether the workers are being stopped. Nothing is started from then on.</summary>
    public bool IsShuttingDown { get; private set; }

    /// <summary>The succession in progress: begun and not decided.</summary>
    public SuccessionPhase Succession { get; set; }

    /// <summary>Whether a succession is in progress.</summary>
    public bool IsBeingSucceeded => Succession != SuccessionPhase.None;

    /// <summary>A signal asks for a stop, which cannot be cancelled.</summary>
    public void RequestStop(StopRequest stop)
    {
        Stop = stop;
        StopRequested?.Invoke();
    }

    /// <summary>Begins the shutdown, which cannot be cancelled.</summary>
    public void BeginShutdown() => IsShuttingDown = true;
}
