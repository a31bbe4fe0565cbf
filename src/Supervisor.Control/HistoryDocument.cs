namespace Supervisor.Control;

/// <summary>One entry of a handle's history.</summary>
/// <param name="Seq">Number, from 1.</param>
/// <param name="At">When.</param>
/// <param name="Phase">The moment in the handle's life.</param>
/// <param name="Call">The bare name of the system call.</param>
/// <param name="Option">What it set, by the kernel's name; null where the call sets no option.</param>
/// <param name="Requested">As asked for.</param>
/// <param name="Effective">As read back.</param>
/// <param name="Errno">The kernel's refusal by name; null where it did not refuse.</param>
/// <param name="Verdict">One of exact, adjusted, ignored, refused, inherited, drifted.</param>
/// <param name="Actor">Who did it, or who received the handle; null where that cannot be known.</param>
/// <param name="Note">What a reader should know besides.</param>
/// <param name="SinceCreationUs">Microseconds since the handle's first entry.</param>
public sealed record HistoryEntryDocument(
    long Seq,
    DateTimeOffset At,
    string Phase,
    string Call,
    string? Option,
    ScalarValue? Requested,
    ScalarValue? Effective,
    string? Errno,
    string Verdict,
    ActorDocument? Actor,
    string? Note,
    long SinceCreationUs);

/// <summary>A process in a history.</summary>
public sealed record ActorDocument(int Pid, string Name);
