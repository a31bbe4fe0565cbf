using Supervisor.Native;

namespace Supervisor.Linux.Kernel;

/// <summary>
/// Makes the tokens of workers and hooks: a mark, which all tokens of this daemon and its successors share, and 128 random
/// bits. A process with a token was executed with the environment of a worker or hook of this daemon. A process that knows only
/// the mark could imitate a former worker, so the user id must match too.
/// </summary>
public sealed class WorkerTokens
{
    /// <summary>The environment variable for the token.</summary>
    public const string Variable = "LISTEND_TOKEN";

    private const int Bytes = 16;

    /// <summary>Continues with a predecessor's mark, or makes a new one.</summary>
    public WorkerTokens(string? mark = null) => Mark = mark ?? Random();

    /// <summary>The beginning of each token, which a successor needs.</summary>
    public string Mark { get; }

    /// <summary>A new token: 64 hexadecimal digits.</summary>
    public string New() => Mark + Random();

    /// <summary>Whether this daemon or a predecessor may have made the token.</summary>
    public bool IsOurs(string? token) =>
        token is not null && token.Length == Mark.Length + (2 * Bytes) && token.StartsWith(Mark, StringComparison.Ordinal);

    private static string Random()
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        Processes.FillRandom(bytes);
        return Convert.ToHexStringLower(bytes);
    }
}
