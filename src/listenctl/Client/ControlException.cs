namespace Supervisor.Listenctl.Client;

/// <summary>An error that ends the command: its message, the exit status, and the document of <c>--json</c>.</summary>
/// <param name="message">The message, with the remedy.</param>
/// <param name="exitCode">One of <see cref="Control.ExitCode"/>.</param>
internal sealed class ControlException(string message, int exitCode) : Exception(message)
{
    /// <summary>The exit status.</summary>
    public int ExitCode { get; } = exitCode;

    /// <summary>The problem document; null where standard output stays empty (exit status 2, 3 and 4).</summary>
    public ReadOnlyMemory<byte>? Document { get; init; }

    /// <summary>Whether the connection broke before the answer.</summary>
    public bool IsLost { get; init; }
}
