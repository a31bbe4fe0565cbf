using Supervisor.Core.Listeners.Options;

namespace Supervisor.Core.Listeners.History;

/// <summary>
/// An event without its time: the part of a <see cref="HistoryEntry"/> that handles can share. A client that takes thousands of
/// listeners at once does the same to each of them; thousands of new listeners differ in their addresses.
/// </summary>
/// <param name="Phase">The step in the handle's life.</param>
/// <param name="Call">The bare name of the system call.</param>
/// <param name="Option">What it set, by the kernel's name.</param>
/// <param name="Requested">The requested value, in the unit of getsockopt.</param>
/// <param name="Effective">The value that was read back.</param>
/// <param name="Errno">The kernel's error by name.</param>
/// <param name="Verdict">How the two compare.</param>
/// <param name="Actor">The process that did it; for a hand-off, the process that received the handle; null if unknown.</param>
/// <param name="Note">Further information for a reader.</param>
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
