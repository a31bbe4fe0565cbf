namespace Supervisor.Listenctl;

/// <summary>An error that ends the command: what people read, the exit status, and what <c>--json</c> prints.</summary>
/// <param name="message">The line for people, with the remedy.</param>
/// <param name="exitCode">One of <see cref="Control.ExitCode"/>.</param>
internal sealed class ControlException(string message, int exitCode) : Exception(message)
{
    /// <summary>The exit status.</summary>
    public int ExitCode { get; } = exitCode;

    /// <summary>The problem document; null where standard output stays empty (exit 2, 3 and 4).</summary>
    public ReadOnlyMemory<byte>? Document { get; init; }

    /// <summary>Whether the connection broke off before the answer.</summary>
    public bool IsLost { get; init; }
}
