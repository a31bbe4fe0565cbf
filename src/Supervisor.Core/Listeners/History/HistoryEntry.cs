using Supervisor.Core.Listeners.Options;

namespace Supervisor.Core.Listeners.History;

/// <summary>One event of a handle: a system call that shaped it, its hand-off to a process, a change by a holder.</summary>
/// <param name="Seq">Number within the handle's history, from 1.</param>
/// <param name="At">Wall clock time.</param>
/// <param name="SinceCreation">Monotonic time since the first entry.</param>
/// <param name="Phase">The step in the handle's life.</param>
/// <param name="Call">The bare name of the system call.</param>
/// <param name="Option">What it set, by the kernel's name.</param>
/// <param name="Requested">The requested value, in the unit of getsockopt.</param>
/// <param name="Effective">The value that was read back.</param>
/// <param name="Errno">The kernel's error by name.</param>
/// <param name="Verdict">How the two compare.</param>
/// <param name="Actor">The process that did it; for a hand-off, the process that received the handle; null if unknown.</param>
/// <param name="Note">Further information for a reader.</param>
public sealed record HistoryEntry(
    long Seq,
    DateTimeOffset At,
    TimeSpan SinceCreation,
    HandlePhase Phase,
    string Call,
    string? Option,
    OptionValue? Requested,
    OptionValue? Effective,
    string? Errno,
    Verdict Verdict,
    HistoryActor? Actor,
    string? Note)
{
    /// <summary>The fact, with its time and number.</summary>
    internal static HistoryEntry Of(long seq, DateTimeOffset at, TimeSpan sinceCreation, HistoryFact fact) =>
        new(
            seq,
            at,
            sinceCreation,
            fact.Phase,
            fact.Call,
            fact.Option,
            fact.Requested,
            fact.Effective,
            fact.Errno,
            fact.Verdict,
            fact.Actor,
            fact.Note);
}

/// <summary>A process in a history.</summary>
/// <param name="Pid">Its process id.</param>
/// <param name="Name">The daemon's name, or SERVICE/SLOT of a worker.</param>
public sealed record HistoryActor(int Pid, string Name)
{
    /// <summary>The worker's service; null for a process that is not a worker.</summary>
    public string? Service { get; init; }

    /// <summary>The worker's generation; null for a process that is not a worker.</summary>
    public int? Generation { get; init; }
}
