using System.Net.Sockets;
using System.Text;
using Supervisor.Core.Listeners;

namespace Supervisor.Linux.Probes;

/// <summary><c>http:/PATH</c>: the worker answers a request with 2xx.</summary>
/// <remarks>
/// The request is sent at once, and only on a connection that this worker has accepted: a simple worker reads it with one recv().
/// The opening, for TCP_DEFER_ACCEPT, is the request without its last line.
/// </remarks>
public sealed class HttpProbe(object owner, Func<int> pid, string path, string listener, ListenAddress address, Func<int> others)
    : ListenerProbe(owner, pid, listener, address, others)
{
    /// <summary>HTTP/1.1 200</summary>
    private const int StatusLength = 12;

    // The first bytes of a record, RFC 8446, 5.1.
    private const byte TlsAlert = 21;
    private const byte TlsHandshake = 22;
    private const byte TlsMajor = 3;

    /// <inheritdoc/>
    protected override string Question => $"GET {path}";

    /// <inheritdoc/>
    protected override ReadOnlyMemory<byte> Opening => Encoding.ASCII.GetBytes(
        $"GET {path} HTTP/1.1\r\nHost: {Host}\r\nUser-Agent: listend\r\nAccept: */*\r\nConnection: close\r\n");

    /// <inheritdoc/>
    protected override async Task<string?> AskAsync(Socket connection, bool isOpened, CancellationToken end)
    {
        byte[] rest = isOpened ? [.. "\r\n"u8] : [.. Opening.Span, .. "\r\n"u8];
        await connection.SendAsync(rest, end);
        return Seen(await ReadAsync(connection, end));
    }

    /// <summary>A worker without others may answer the opening already, and close the connection.</summary>
    protected override async Task<string?> AskUnknownAsync(Socket connection, CancellationToken end) =>
        IsAlone && await ReadAsync(connection, end) is { Length: > 0 } answer ? Seen(answer) : await base.AskUnknownAsync(connection, end);

    private string? Seen(byte[] answer)
    {
        var text = Encoding.ASCII.GetString(answer);
        var isHttp = answer.Length == StatusLength && text.StartsWith("HTTP/1.", StringComparison.Ordinal) && text[8] == ' '
            && text[9..].All(char.IsAsciiDigit);
        return isHttp && text[9] == '2' ? null
            : answer.Length == 0 ? ClosedText
            : $"{Question} on \"{Listener}\": " + (isHttp ? $"the answer is {text[9..]}"
                : answer is [TlsAlert or TlsHandshake, TlsMajor, ..] ? $"the answer is TLS; {ForTls}"
                : "the answer is not HTTP");
    }

    /// <summary>The first bytes of an answer, as many as tell its status; fewer if the connection was closed before.</summary>
    private static async Task<byte[]> ReadAsync(Socket connection, CancellationToken end)
    {
        var line = new byte[StatusLength];
        var length = 0;
        while (length < line.Length && await connection.ReceiveAsync(line.AsMemory(length), end) is > 0 and var count)
        {
            length += count;
        }

        return line[..length];
    }
}
