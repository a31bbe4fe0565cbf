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

    /// <summary>Set when its slot went on without waiting for its end: the restart policy has had its say.</summary>
    public bool Judged { get; init; }

    /// <summary>Whether the restart policy has still to judge its end: it leaves by itself, or did not get ready in time.</summary>
    public bool AwaitsJudgement => !IsLive && !Judged && (!EndRequested || StartTimedOut);

    /// <summary>Whether it serves, and has for as long as a new worker must before it counts.</summary>
    public bool IsSettled => Phase == WorkerPhase.Ready && Deadline is null;

    /// <summary>Whether it is on its way to serve or serves: neither asked to end nor leaving.</summary>
    public bool IsLive => Phase is WorkerPhase.Starting or WorkerPhase.Ready;
}
