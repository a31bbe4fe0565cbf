using Supervisor.Native;

namespace Supervisor.Linux.Paths;

/// <summary>Why a file was not opened.</summary>
/// <param name="Error">What the kernel said; null where the file was refused for what it is or whose it is.</param>
/// <param name="Reason">For people: path, owner, mode, where links lead.</param>
/// <param name="Remedy">What to do; null where <paramref name="Error"/> says all there is.</param>
public sealed record FileRefusal(SystemCallError? Error, string Reason, string? Remedy)
{
    /// <summary>Whether there is no such file.</summary>
    public bool IsMissing => Error is { Errno: 2 or 20 };

    /// <summary>What the kernel refused.</summary>
    public static FileRefusal Of(SystemCallError error, string? note = null) => new(error, $"{error}{(note is null ? "" : $" ({note})")}", null);

    /// <inheritdoc/>
    public override string ToString() => Remedy is null ? Reason : $"{Reason}; {Remedy}";
}
