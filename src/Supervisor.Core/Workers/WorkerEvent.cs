namespace Supervisor.Core.Workers;

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
}
