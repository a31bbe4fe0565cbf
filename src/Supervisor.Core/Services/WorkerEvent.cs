namespace Supervisor.Core.Services;

/// <summary>The events of a worker.</summary>
public enum WorkerEvent
{
    /// <summary>It became ready.</summary>
    Ready,

    /// <summary>It has to stop.</summary>
    Stop,

    /// <summary>It sent STOPPING=1.</summary>
    StoppingAnnounced,

    /// <summary>Its main process has exited; other processes of it may remain.</summary>
    MainExited,

    /// <summary>It has to be killed now.</summary>
    Kill,

    /// <summary>Its deadline has passed.</summary>
    DeadlinePassed,

    /// <summary>It sent WATCHDOG=1.</summary>
    Alive,

    /// <summary>It sent no WATCHDOG=1 in time.</summary>
    WatchdogPassed,

    /// <summary>It sent WATCHDOG=trigger, which reports a hang.</summary>
    WatchdogTriggered,
}
