using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Supervisor.Core.Listeners;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Probes;

/// <summary>
/// <c>ready = "http:/PATH"</c>: asks the listener until this very worker answers 2xx.
/// </summary>
/// <remarks>
/// Whoever waits on a shared listener may get the connection, an old worker too, and neither address nor credentials tell
/// them apart. So the request is held back just before its end, which a worker has to have accepted to see: sock_diag then
/// gives the inode of the accepted socket, and /proc who of the worker's processes has it. Where another one accepted, the
/// connection is closed, no request having been made of it, and the next one is tried. Only then is the request
/// completed: the answer is this worker's. Where TCP_DEFER_ACCEPT holds connections back until data is there, that is no
/// hindrance.
/// </remarks>
public sealed class HttpProbe : IReadinessProbe
{
    private const int MostAttempts = 32;
    private static readonly TimeSpan AcceptTime = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(5);

    /// <summary>How long the worker's descriptors may be looked through for a connection: it may have any number of them.</summary>
    private static readonly TimeSpan LookTime = TimeSpan.FromSeconds(1);

    private readonly object _owner;
    private readonly Func<int> _pid;
    private readonly string _path;
    private readonly string _listener;
    private readonly IReadOnlyList<EndPoint> _addresses;
    private readonly string _host;
    private readonly int _attempts;

    /// <summary>
    /// Asks for <paramref name="path"/> on a listener at its effective address, of which up to
    /// <paramref name="others"/> other workers may accept. Looks that do not return count against <paramref name="owner"/>.
    /// </summary>
    public HttpProbe(object owner, Func<int> pid, string path, string listener, ListenAddress address, int others)
    {
        _owner = owner;
        _pid = pid;
        _path = path;
        _listener = listener;
        _addresses = Reachable(address);
        _host = address.Host is null ? "localhost" : _addresses[0].ToString()!;
        _attempts = Math.Min(2 + (2 * others), MostAttempts);
    }

    /// <inheritdoc/>
    public async Task<string?> LookAsync(CancellationToken end)
    {
        var seen = "";
        for (var attempt = 0; attempt < _attempts; attempt++)
        {
            (var isOver, seen) = await AskAsync(end);
            if (isOver)
            {
                break;
            }
        }

        return seen;
    }

    /// <summary>One connection: whether the look is over with it, and what was seen; null: this worker answered 2xx.</summary>
    private async Task<(bool IsOver, string? Seen)> AskAsync(CancellationToken end)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(end);
        limit.CancelAfter(AnswerTime);
        try
        {
            using var connection = await ConnectAsync(limit.Token);
            var head = $"GET {_path} HTTP/1.1\r\nHost: {_host}\r\nUser-Agent: listend\r\nAccept: */*\r\nConnection: close\r\n";
            await connection.SendAsync(Encoding.ASCII.GetBytes(head), limit.Token);
            switch (await OwnsAsync(connection, limit.Token))
            {
                case null:
                    return (true, $"nobody accepted a connection to \"{_listener}\"");
                case false:
                    return (false, $"connections to \"{_listener}\" were accepted by others, not by it");
                case true:
                    await connection.SendAsync("\r\n"u8.ToArray(), limit.Token);
                    var status = await StatusAsync(connection, limit.Token);
                    return (true, status is >= 200 and <= 299 ? null
                        : status is null ? $"GET {_path} on \"{_listener}\": its answer is no HTTP"
                        : $"GET {_path} on \"{_listener}\": it answered {status}");
            }
        }
        catch (OperationCanceledException) when (!end.IsCancellationRequested)
        {
            return (true, $"GET {_path} on \"{_listener}\": it did not answer within {AnswerTime.TotalSeconds:0}s");
        }
        catch (SocketException exception)
        {
            return (true, $"GET {_path} on \"{_listener}\": {exception.SocketErrorCode}");
        }
    }

    private async Task<Socket> ConnectAsync(CancellationToken end)
    {
        for (var i = 0; ; i++)
        {
            var address = _addresses[i];
            var socket =
                new Socket(address.AddressFamily, SocketType.Stream, address is IPEndPoint ? ProtocolType.Tcp : ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(address, end);
                return socket;
            }
            catch (Exception exception)
            {
                socket.Dispose();
                if (exception is not SocketException || i == _addresses.Count - 1)
                {
                    throw;
                }
            }
        }
    }

    /// <summary>Whether the worker accepted the connection; null where no process accepted it in time.</summary>
    private async Task<bool?> OwnsAsync(Socket connection, CancellationToken end)
    {
        var started = TimeProvider.System.GetTimestamp();
        for (var wait = 1; ; wait = Math.Min(wait * 2, 20))
        {
            // accept() names the socket before its descriptor is there to be seen.
            if (AcceptedSocket.Inode(connection) is > 0 and var inode)
            {
                if (await HoldsAsync(inode))
                {
                    return true;
                }

                await Task.Delay(1, end);
                return await HoldsAsync(inode);
            }

            if (TimeProvider.System.GetElapsedTime(started) > AcceptTime)
            {
                return null;
            }

            await Task.Delay(wait, end);
        }
    }

    /// <summary>Whether one of the worker's processes has that socket; a process that may not be looked into has not.</summary>
    private Task<bool> HoldsAsync(ulong inode) => ProbeThreads.Shared.RunAsync(_owner, () =>
    {
        var until = Stopwatch.GetTimestamp() + (long)(LookTime.TotalSeconds * Stopwatch.Frequency);
        var wanted = new HashSet<ulong> { inode };
        var found = new List<OpenFiles.Found>();
        foreach (var pid in WorkerTree.Of(_pid(), until))
        {
            OpenFiles.FindSocketsOf(pid, wanted, found, until);
            if (found.Count > 0)
            {
                return true;
            }
        }

        return false;
    });

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

    private static IReadOnlyList<EndPoint> Reachable(ListenAddress address)
    {
        if (address.Kind == ListenerKind.UnixStream)
        {
            return [new UnixDomainSocketEndPoint(address.IsAbstract ? "\0" + address.Path : address.Path!)];
        }

        var port = (int)address.Port;
        return !address.IsWildcard ? [new IPEndPoint(address.Host!, port)]
            : IPAddress.IPv6Any.Equals(address.Host)
                ? [new IPEndPoint(IPAddress.IPv6Loopback, port), new IPEndPoint(IPAddress.Loopback, port)]
            : [new IPEndPoint(IPAddress.Loopback, port)];
    }
}
