namespace Supervisor.Control;

/// <summary>One entry of a handle's history.</summary>
/// <param name="Seq">Number, from 1.</param>
/// <param name="At">When.</param>
/// <param name="Phase">The moment in the handle's life.</param>
/// <param name="Call">The bare name of the system call.</param>
/// <param name="Option">The kernel's name of the option; null if the call sets none.</param>
/// <param name="Requested">The requested value.</param>
/// <param name="Effective">The value that the kernel returned afterwards.</param>
/// <param name="Errno">The name of the error; null if the call succeeded.</param>
/// <param name="Verdict">One of exact, adjusted, ignored, refused, inherited, drifted.</param>
/// <param name="Actor">The process that made the call or received the handle; null if unknown.</param>
/// <param name="Note">A remark.</param>
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
