using Supervisor.Core.Listeners.Options;

namespace Supervisor.Core.Listeners.History;

/// <summary>
/// What happened, without when: the part of a <see cref="HistoryEntry"/> that handles can share. A client that takes
/// thousands of listeners at once does the same thing to each of them, and thousands that are made differ in their addresses.
/// </summary>
/// <param name="Phase">The moment in the handle's life.</param>
/// <param name="Call">The bare name of the system call.</param>
/// <param name="Option">What it set, by the kernel's name.</param>
/// <param name="Requested">As asked for, in the unit of getsockopt.</param>
/// <param name="Effective">As read back.</param>
/// <param name="Errno">The kernel's refusal by name.</param>
/// <param name="Verdict">How the two compare.</param>
/// <param name="Actor">Who did it; for a hand-off, who received the handle; null where that cannot be known.</param>
/// <param name="Note">What a reader should know besides.</param>
public sealed record HistoryFact(
    HandlePhase Phase,
    string Call,
    string? Option,
    OptionValue? Requested,
    OptionValue? Effective,
    string? Errno,
    Verdict Verdict,
    HistoryActor? Actor,
    string? Note);
