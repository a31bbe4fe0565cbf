namespace Supervisor.Core.Services;

/// <summary>What can happen to a worker.</summary>
public enum WorkerEvent
{
    /// <summary>It is ready.</summary>
    Ready,

    /// <summary>It is to end.</summary>
    Stop,

    /// <summary>It said STOPPING=1.</summary>
    StoppingAnnounced,

    /// <summary>Its deadline has passed.</summary>
    DeadlinePassed,

    /// <summary>It said WATCHDOG=1.</summary>
    Alive,

    /// <summary>It was silent for longer than its watchdog allows.</summary>
    WatchdogPassed,

    /// <summary>It sent WATCHDOG=trigger: it reports that it hangs.</summary>
    WatchdogTriggered,
}
