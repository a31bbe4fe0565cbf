using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;

namespace Supervisor.Control.Tests;

/// <summary>
/// A fake daemon that sends exactly the bytes of a test, also bytes that an HTTP server would not send. It serves one
/// connection at a time, in its own folder.
/// </summary>
internal sealed class FakeDaemon : IDisposable
{
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("listend-");
    private readonly Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly Task serving;

    public FakeDaemon(Func<string, Action<Socket>> answer)
    {
        SocketPath = Path.Combine(directory.FullName, "control.sock");
        listener.Bind(new UnixDomainSocketEndPoint(SocketPath));
        listener.Listen(16);
        serving = Task.Factory
            .StartNew(() => Serve(answer), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    public string SocketPath { get; }

    /// <summary>The request lines, without their version.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    public static Action<Socket> Json(string json, int status = 200, string type = "application/json") => socket =>
    {
        var body = Encoding.UTF8.GetBytes(json);
        socket.Send(Encoding.ASCII
            .GetBytes($"HTTP/1.1 {status} Whatever\r\nContent-Type: {type}\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n"));
        socket.Send(body);
    };

    public static Action<Socket> Problem(int status, string detail) => Json(
        $$"""{"type":"about:blank","title":"Whatever","status":{{status}},"detail":"{{detail}}","instance":"/x"}""",
        status,
        "application/problem+json");

    /// <summary>A stream in chunks; without the last chunk if the connection breaks.</summary>
    public static Action<Socket> Stream(
        IEnumerable<string> chunks,
        bool isComplete = true,
        string type = "application/x-ndjson") => socket =>
    {
        socket.Send(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nDate: now\r\nContent-Type: {type}\r\nTransfer-Encoding: chunked\r\n\r\n"));
        foreach (var chunk in chunks)
        {
            var bytes = Encoding.UTF8.GetBytes(chunk);
            socket.Send([.. Encoding.ASCII.GetBytes($"{bytes.Length:x}\r\n"), .. bytes, .. "\r\n"u8]);
        }

        if (isComplete)
        {
            socket.Send("0\r\n\r\n"u8);
        }
    };

    public static Action<Socket> Bytes(string bytes) => socket => socket.Send(Encoding.Latin1.GetBytes(bytes));

    public void Dispose()
    {
        using (var last = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            last.Connect(new UnixDomainSocketEndPoint(SocketPath));
            last.Send("QUIT\r\n\r\n"u8);
        }

        serving.Wait();
        listener.Dispose();
        directory.Delete(recursive: true);
    }

    private void Serve(Func<string, Action<Socket>> answer)
    {
        while (true)
        {
            using var connection = listener.Accept();
            var head = ReadHead(connection);
            if (head.StartsWith("QUIT", StringComparison.Ordinal))
            {
                return;
            }

            var line = head[..head.IndexOf(" HTTP/1.1\r\n", StringComparison.Ordinal)];
            Requests.Enqueue(line);
            try
            {
                answer(line)(connection);
            }
            catch (SocketException)
            {
                // The client has closed the connection.
            }
        }
    }

    private static string ReadHead(Socket connection)
    {
        var head = new StringBuilder();
        var buffer = new byte[4096];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && connection.Receive(buffer) is > 0 and var count)
        {
            head.Append(Encoding.ASCII.GetString(buffer, 0, count));
        }

        return head.ToString();
    }
}
