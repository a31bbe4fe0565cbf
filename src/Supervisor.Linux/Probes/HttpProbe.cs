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
        return Seen(await StatusAsync(connection, end));
    }

    /// <summary>A worker without others may answer the opening already, and close the connection.</summary>
    protected override async Task<string?> AskUnknownAsync(Socket connection, CancellationToken end) =>
        IsAlone && await StatusAsync(connection, end) is { } status ? Seen(status) : await base.AskUnknownAsync(connection, end);

    private string? Seen(int? status) =>
        status is >= 200 and <= 299 ? null
        : status is null ? $"{Question} on \"{Listener}\": the answer is not HTTP"
        : $"{Question} on \"{Listener}\": the answer is {status}";

    private static async Task<int?> StatusAsync(Socket connection, CancellationToken end)
    {
        // HTTP/1.1 200
        var line = new byte[12];
        var length = 0;
        while (length < line.Length)
        {
            var count = await connection.ReceiveAsync(line.AsMemory(length), end);
            if (count == 0)
            {
                return null;
            }

            length += count;
        }

        var text = Encoding.ASCII.GetString(line);
        return text.StartsWith("HTTP/1.", StringComparison.Ordinal) && text[8] == ' '
            && text[9..].All(char.IsAsciiDigit) ? int.Parse(text.AsSpan(9), provider: null) : null;
    }
}
