using Supervisor.Native;

namespace Supervisor.Linux.Kernel;

/// <summary>
/// Makes the tokens of workers and hooks: a mark that all tokens of this daemon and its successors have in common, and 128
/// random bits. A process with a token was executed with what a worker or hook of this daemon was given; whoever only knows
/// the mark can pass for one of some former worker, and the user id has to be that worker's then.
/// </summary>
public sealed class WorkerTokens
{
    /// <summary>The variable that a token is passed in.</summary>
    public const string Variable = "LISTEND_TOKEN";

    private const int Bytes = 16;

    /// <summary>Continues with a predecessor's mark, or makes a new one.</summary>
    public WorkerTokens(string? mark = null) => Mark = mark ?? Random();

    /// <summary>What each token begins with; for a successor.</summary>
    public string Mark { get; }

    /// <summary>A new token: 64 hexadecimal digits.</summary>
    public string New() => Mark + Random();

    /// <summary>Whether it may be a token that this daemon or a predecessor made.</summary>
    public bool IsOurs(string? token) => token is not null && token.Length == Mark.Length + (2 * Bytes) && token.StartsWith(Mark, StringComparison.Ordinal);

    private static string Random()
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        Processes.FillRandom(bytes);
        return Convert.ToHexStringLower(bytes);
    }
}
