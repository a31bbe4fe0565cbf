using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Supervisor.Load.Tests;

/// <summary>A server that treats each connection by a script, in the order of arrival.</summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private readonly Socket _listener;
    private readonly CancellationTokenSource _stopped = new();
    private readonly Task _loop;
    private int _accepted;

    private ScriptedServer(Socket listener, Func<Socket, int, CancellationToken, Task> serve)
    {
        _listener = listener;
        _loop = AcceptAsync(serve);
    }

    /// <summary>The address.</summary>
    public EndPoint EndPoint => _listener.LocalEndPoint!;

    /// <summary>The number of accepted connections.</summary>
    public int Accepted => Volatile.Read(ref _accepted);

    /// <summary>
    /// Listens on a free loopback port. <paramref name="serve"/> gets each connection with its number, from 0, and need not close
    /// it.
    /// </summary>
    public static ScriptedServer Start(Func<Socket, int, CancellationToken, Task> serve) =>
        Start(new IPEndPoint(IPAddress.Loopback, 0), serve);

    /// <summary>Listens on an address.</summary>
    public static ScriptedServer Start(EndPoint endpoint, Func<Socket, int, CancellationToken, Task> serve)
    {
        var listener = new Socket(
            endpoint.AddressFamily,
            SocketType.Stream,
            endpoint.AddressFamily == AddressFamily.Unix ? ProtocolType.Unspecified : ProtocolType.Tcp);
        listener.Bind(endpoint);
        listener.Listen(1024);
        return new ScriptedServer(listener, serve);
    }

    /// <summary>Reads one request up to its empty line; null if the client has closed the connection.</summary>
    public static async Task<string?> ReadRequestAsync(Socket connection, CancellationToken cancellation)
    {
        var buffer = new byte[1024];
        var length = 0;
        while (!buffer.AsSpan(0, length).EndsWith("\r\n\r\n"u8))
        {
            var count = await connection.ReceiveAsync(buffer.AsMemory(length), cancellation);
            if (count == 0)
            {
                return null;
            }

            length += count;
        }

        return Encoding.ASCII.GetString(buffer, 0, length);
    }

    /// <summary>Sends text.</summary>
    public static async Task SendAsync(Socket connection, string text, CancellationToken cancellation) =>
        await connection.SendAsync(Encoding.ASCII.GetBytes(text), cancellation);

    /// <summary>Closes with a reset.</summary>
    public static void Reset(Socket connection)
    {
        connection.LingerState = new LingerOption(true, 0);
        connection.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        await _stopped.CancelAsync();
        await _loop;
        _listener.Dispose();
        _stopped.Dispose();
    }

    private async Task AcceptAsync(Func<Socket, int, CancellationToken, Task> serve)
    {
        var served = new List<Task>();
        try
        {
            while (true)
            {
                var connection = await _listener.AcceptAsync(_stopped.Token);
                served.Add(ServeAsync(connection, Interlocked.Increment(ref _accepted) - 1));
            }
        }
        catch (OperationCanceledException)
        {
        }

        await Task.WhenAll(served);

        async Task ServeAsync(Socket connection, int number)
        {
            using (connection)
            {
                try
                {
                    await serve(connection, number, _stopped.Token);
                }
                catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
                {
                    // The client has disconnected, or the test has ended.
                }
            }
        }
    }
}
