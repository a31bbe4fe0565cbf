using Supervisor.Core.Listeners.Options;

namespace Supervisor.Core.Listeners.History;

/// <summary>One thing that happened to a handle: a system call that shaped it, its passing to a process, a change by a holder.</summary>
/// <param name="Seq">Number within the handle's history, from 1.</param>
/// <param name="At">Wall clock, for people.</param>
/// <param name="SinceCreation">Monotonic time since the first entry.</param>
/// <param name="Phase">The moment in the handle's life.</param>
/// <param name="Call">The bare name of the system call.</param>
/// <param name="Option">What it set, by the kernel's name.</param>
/// <param name="Requested">As asked for, in the unit of getsockopt.</param>
/// <param name="Effective">As read back.</param>
/// <param name="Errno">The kernel's refusal by name.</param>
/// <param name="Verdict">How the two compare.</param>
/// <param name="Actor">Who did it; for a hand-off, who received the handle; null where that cannot be known.</param>
/// <param name="Note">What a reader should know besides.</param>
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
    /// <summary>What happened, with when and where.</summary>
    internal static HistoryEntry Of(long seq, DateTimeOffset at, TimeSpan sinceCreation, HistoryFact fact) =>
        new(seq, at, sinceCreation, fact.Phase, fact.Call, fact.Option, fact.Requested, fact.Effective, fact.Errno, fact.Verdict, fact.Actor, fact.Note);
}

/// <summary>A process in a history.</summary>
/// <param name="Pid">Its process id.</param>
/// <param name="Name">The daemon's name, or SERVICE/SLOT of a worker.</param>
public sealed record HistoryActor(int Pid, string Name)
{
    /// <summary>The worker's service; null for who is no worker, or where nobody asks.</summary>
    public string? Service { get; init; }

    /// <summary>The worker's generation; null likewise.</summary>
    public int? Generation { get; init; }
}
