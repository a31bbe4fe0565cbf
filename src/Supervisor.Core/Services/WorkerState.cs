namespace Supervisor.Core.Services;

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

    /// <summary>The longest silence between two WATCHDOG=1; zero: no watchdog. The service's setting, until the worker says otherwise.</summary>
    public TimeSpan Watchdog { get; init; }

    /// <summary>When it will have been silent for too long; null: nobody waits for a sign of life.</summary>
    public TimeSpan? WatchdogDeadline { get; init; }

    /// <summary>The earlier of <see cref="Deadline"/> and <see cref="WatchdogDeadline"/>.</summary>
    public TimeSpan? NextDeadline => Deadline is null || WatchdogDeadline < Deadline ? WatchdogDeadline : Deadline;

    /// <summary>Whether we asked it to end: then its end is no failure, unless it had hung or never got ready.</summary>
    public bool EndRequested { get; init; }

    /// <summary>Set when it did not get ready in time.</summary>
    public bool StartTimedOut { get; init; }

    /// <summary>How it was known to hang, when its watchdog ended it; null otherwise.</summary>
    public string? Hang { get; init; }

    /// <summary>What was last seen of a worker whose readiness is looked at from outside; null where nothing was.</summary>
    public string? Seen { get; init; }

    /// <summary>Whether we ended it because it had failed, not because it was to go.</summary>
    public bool HasFailed => StartTimedOut || Hang is not null;

    /// <summary>When it came into its phase.</summary>
    public TimeSpan PhaseSince { get; init; }

    /// <summary>Set when its slot went on without waiting for its end: the restart policy has had its say.</summary>
    public bool Judged { get; init; }

    /// <summary>Whether the restart policy has still to judge its end: it leaves by itself, hung, or did not get ready in time.</summary>
    public bool AwaitsJudgement => !IsLive && !Judged && (!EndRequested || HasFailed);

    /// <summary>Whether it serves, and has for as long as a new worker must before it counts.</summary>
    public bool IsSettled => Phase == WorkerPhase.Ready && Deadline is null;

    /// <summary>Whether it is on its way to serve or serves: neither asked to end nor leaving.</summary>
    public bool IsLive => Phase is WorkerPhase.Starting or WorkerPhase.Ready;
}
