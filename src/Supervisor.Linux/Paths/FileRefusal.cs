using Supervisor.Native;

namespace Supervisor.Linux.Paths;

/// <summary>Why a file was not opened.</summary>
/// <param name="Error">The failed call; null if listend refuses the file for its type or owner.</param>
/// <param name="Reason">The reason in words: path, owner, mode, link targets.</param>
/// <param name="Remedy">The remedy; null if <paramref name="Error"/> is sufficient.</param>
public sealed record FileRefusal(SystemCallError? Error, string Reason, string? Remedy)
{
    /// <summary>Whether the file does not exist.</summary>
    public bool IsMissing => Error is { Errno: 2 or 20 };

    /// <summary>The refusal for a failed call.</summary>
    public static FileRefusal Of(SystemCallError error, string? note = null) =>
        new(error, $"{error}{(note is null ? "" : $" ({note})")}", null);

    /// <inheritdoc/>
    public override string ToString() => Remedy is null ? Reason : $"{Reason}; {Remedy}";
}
