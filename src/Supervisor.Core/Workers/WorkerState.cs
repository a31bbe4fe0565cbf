namespace Supervisor.Core.Workers;

/// <summary>One worker, from the decision to spawn it until its process is gone. Times are monotonic, since the daemon's start.</summary>
public sealed record WorkerState
{
    /// <summary>Number, unique within the service.</summary>
    public required int Id { get; init; }

    /// <summary>Slot, from 0.</summary>
    public required int Slot { get; init; }

    /// <summary>Generation.</summary>
    public required int Generation { get; init; }

    /// <summary>Where it is in its life.</summary>
    public required WorkerPhase Phase { get; init; }

    /// <summary>Process id; null until it is spawned.</summary>
    public int? Pid { get; init; }

    /// <summary>When it was started.</summary>
    public required TimeSpan StartedAt { get; init; }

    /// <summary>When it got ready.</summary>
    public TimeSpan? ReadyAt { get; init; }

    /// <summary>When the phase has lasted too long; null: it may last.</summary>
    public TimeSpan? Deadline { get; init; }

    /// <summary>Whether we asked it to end: then its end is no failure.</summary>
    public bool EndRequested { get; init; }

    /// <summary>Set when it did not get ready in time.</summary>
    public bool StartTimedOut { get; init; }

    /// <summary>Whether it is on its way to serve or serves: neither asked to end nor leaving.</summary>
    public bool IsLive => Phase is WorkerPhase.Starting or WorkerPhase.Ready;
}
