using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Supervisor.Core.Listeners;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Probes;

/// <summary><c>ready = "http:/PATH"</c>: sends a request to the listener until this worker answers 2xx.</summary>
/// <remarks>
/// Any worker on a shared listener may get the connection, an old worker too, and neither address nor credentials tell which.
/// So the probe sends the request without its last line and waits until a worker accepts the connection. sock_diag then has the
/// inode of the accepted socket, and /proc shows whether this worker has it. If not, the probe closes the connection, which has
/// no complete request, and tries again. Otherwise it completes the request: the answer is this worker's. The incomplete
/// request also satisfies TCP_DEFER_ACCEPT. A connection that no process accepts in time is kept for the next probe, so that
/// there is never more than one of them in the accept queue.
/// </remarks>
public sealed class HttpProbe : IReadinessProbe, IDisposable
{
    private const int MostAttempts = 32;
    private static readonly TimeSpan AcceptTime = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(5);

    /// <summary>The time limit for reading the worker's descriptors: it may have any number of them.</summary>
    private static readonly TimeSpan ReadTimeout = TimeSpan.FromSeconds(1);

    private readonly object _owner;
    private readonly Func<int> _pid;
    private readonly string _path;
    private readonly string _listener;
    private readonly IReadOnlyList<EndPoint> _addresses;
    private readonly string _host;
    private readonly int _attempts;

    /// <summary>The connection that waits in the accept queue with its incomplete request; null if there is none.</summary>
    private Socket? _waiting;

    /// <summary>
    /// Requests <paramref name="path"/> from a listener at its effective address. Up to <paramref name="others"/> other workers
    /// may accept there. Probes that do not return count against <paramref name="owner"/>.
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
    public async Task<string?> ProbeAsync(CancellationToken end)
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

    /// <summary>One connection: whether the probe ends with it, and the result; null: this worker answered 2xx.</summary>
    private async Task<(bool IsOver, string? Seen)> AskAsync(CancellationToken end)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(end);
        limit.CancelAfter(AnswerTime);
        try
        {
            var waiting = TakeWaiting() ?? await BeginAsync(limit.Token);
            using var closing = new Closing(waiting);
            switch (await OwnsAsync(waiting, limit.Token))
            {
                case null:
                    _waiting = closing.Keep();
                    return (true, $"no process accepted a connection to \"{_listener}\"");
                case false:
                    return (false, $"connections to \"{_listener}\" were accepted by other processes, not by this worker");
                case true:
                    await waiting.SendAsync("\r\n"u8.ToArray(), limit.Token);
                    var status = await StatusAsync(waiting, limit.Token);
                    return (true, status is >= 200 and <= 299 ? null
                        : status is null ? $"GET {_path} on \"{_listener}\": the answer is not HTTP"
                        : $"GET {_path} on \"{_listener}\": the answer is {status}");
            }
        }
        catch (OperationCanceledException) when (!end.IsCancellationRequested)
        {
            return (true, $"GET {_path} on \"{_listener}\": no answer within {AnswerTime.TotalSeconds:0}s");
        }
        catch (SocketException exception)
        {
            return (true, $"GET {_path} on \"{_listener}\": {exception.SocketErrorCode}");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _waiting?.Dispose();

    /// <summary>Closes a connection at its end, unless it is kept.</summary>
    private sealed class Closing(Socket connection) : IDisposable
    {
        private bool _isKept;

        public Socket Keep()
        {
            _isKept = true;
            return connection;
        }

        public void Dispose()
        {
            if (!_isKept)
            {
                connection.Dispose();
            }
        }
    }

    /// <summary>The connection of an earlier probe, unless it was closed in the meantime: nothing but its end can be read yet.</summary>
    private Socket? TakeWaiting()
    {
        var waiting = _waiting;
        _waiting = null;
        if (waiting?.Poll(0, SelectMode.SelectRead) == true)
        {
            waiting.Dispose();
            return null;
        }

        return waiting;
    }

    /// <summary>A connection with the request except for its last line.</summary>
    private async Task<Socket> BeginAsync(CancellationToken end)
    {
        var head = $"GET {_path} HTTP/1.1\r\nHost: {_host}\r\nUser-Agent: listend\r\nAccept: */*\r\nConnection: close\r\n";
        var connection = await ConnectAsync(end);
        using var closing = new Closing(connection);
        await connection.SendAsync(Encoding.ASCII.GetBytes(head), end);
        return closing.Keep();
    }

    private async Task<Socket> ConnectAsync(CancellationToken end)
    {
        for (var i = 0; ; i++)
        {
            var address = _addresses[i];
            var protocol = address is IPEndPoint ? ProtocolType.Tcp : ProtocolType.Unspecified;
            var socket = new Socket(address.AddressFamily, SocketType.Stream, protocol);
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

    /// <summary>Whether the worker accepted the connection; null if no process accepted it in time.</summary>
    private async Task<bool?> OwnsAsync(Socket connection, CancellationToken end)
    {
        var started = TimeProvider.System.GetTimestamp();
        for (var wait = 1; ; wait = Math.Min(wait * 2, 20))
        {
            // accept() gives the socket its inode before the descriptor exists.
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

    /// <summary>
    /// Whether one of the worker's processes has that socket. A process that the daemon may not read does not count.
    /// </summary>
    private Task<bool> HoldsAsync(ulong inode) => ProbeThreads.Shared.RunAsync(_owner, () =>
    {
        var until = Stopwatch.GetTimestamp() + (long)(ReadTimeout.TotalSeconds * Stopwatch.Frequency);
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
