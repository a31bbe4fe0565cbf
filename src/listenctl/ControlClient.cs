using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Supervisor.Control;
using Supervisor.Linux.Continuity;

namespace Supervisor.Listenctl;

/// <summary>
/// The client's end of the control socket: HTTP/1.1 over a UNIX socket, one connection for each request, everything
/// blocking. HttpClient would start a thread pool, an epoll thread and a connection pool for that one request, and took
/// twice the time for it.
/// </summary>
internal sealed class ControlClient
{
    /// <summary>How long the daemon may take to begin its answer. It answers from memory; one that does not is stuck.</summary>
    public static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(10);

    private readonly TimeProvider clock;

    private static readonly TimeSpan SuccessorLook = TimeSpan.FromMilliseconds(20);

    private ControlClient(string path, TimeProvider clock)
    {
        SocketPath = path;
        this.clock = clock;
    }

    /// <summary>The control socket's path.</summary>
    public string SocketPath { get; }

    /// <summary>How long a daemon is waited for that has ended: one that systemd starts again is there within it.</summary>
    public TimeSpan SuccessorPatience { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>After how long a silence it is looked whether there is still a daemon, while an answer is awaited.</summary>
    public static TimeSpan Silence { get; } = TimeSpan.FromMilliseconds(250);

    /// <summary>A client for the socket given, or for the default one. Connects to nothing yet.</summary>
    public static ControlClient For(string? socket, CommandContext standard)
    {
        var variable = standard.Variable("LISTEND_CONTROL");
        var path = !string.IsNullOrEmpty(socket) ? socket
            : !string.IsNullOrEmpty(variable) ? variable
            : RuntimePaths.Default(standard.IsRoot, standard.Variable)?.ControlSocket;
        return path is not null
            ? new ControlClient(path, standard.Clock)
            : throw new ControlException(
                "cannot tell where listend's control socket is: neither LISTEND_CONTROL nor XDG_RUNTIME_DIR is set\n" +
                "Name it with --socket PATH, or set LISTEND_CONTROL.",
                ExitCode.Unreachable);
    }

    /// <summary>A whole document.</summary>
    public byte[] Get(string target)
    {
        try
        {
            using var answer = Send("GET", target, Deadline.After(AnswerTimeout, clock));
            return answer.ReadToEnd();
        }
        catch (TimeoutException)
        {
            throw Silent();
        }
    }

    /// <summary>A stream of documents that goes on for ever; the caller disposes of it.</summary>
    public ControlResponse Follow(string target)
    {
        try
        {
            var answer = Send("GET", target, Deadline.After(AnswerTimeout, clock));
            answer.Deadline = Deadline.None;
            return answer;
        }
        catch (TimeoutException)
        {
            throw Silent();
        }
    }

    /// <summary>Asks for a change and returns the answer's document, which may take longer than others.</summary>
    public byte[] Post(string target, TimeSpan? timeout = null)
    {
        try
        {
            using var answer = Send("POST", target, Deadline.After(timeout ?? AnswerTimeout, clock));
            return answer.ReadToEnd();
        }
        catch (TimeoutException)
        {
            throw Silent();
        }
    }

    /// <summary>
    /// Asks for a change and to be told how it goes; the caller disposes of the stream.
    /// <see cref="TimeoutException"/> when the daemon says nothing for as long as <paramref name="deadline"/>.
    /// </summary>
    public ControlResponse PostAndWatch(string target, Deadline deadline) => Send("POST", target, deadline);

    /// <summary>
    /// Returns at once where a daemon is in charge, or where that cannot be seen; waits a moment for a successor where none
    /// is, and throws where none comes. Asked before a request is sent, so that none is left in the queue of a socket without
    /// a daemon, to be carried out by one that is started when its sender has long given up.
    /// </summary>
    public void RequireDaemon()
    {
        var file = new RuntimePaths(Path.GetDirectoryName(Path.GetFullPath(SocketPath))!).LockFile;
        var since = clock.GetTimestamp();
        while (LockHolder.Of(file) is { Lives: false } last)
        {
            if (clock.GetElapsedTime(since) >= SuccessorPatience)
            {
                var who = last.Pid is { } pid ? string.Create(CultureInfo.InvariantCulture, $" (pid {pid})") : "";
                throw new ControlException(
                    $"no listend is in charge of {SocketPath}: the last one{who} has ended without closing it, and nobody answers until one is started again\n" +
                    "Start it: \"systemctl start listend\", or \"listend run\" with its configuration. Its listeners are held and its workers go on until then.",
                    ExitCode.Unreachable);
            }

            // A lock tells nobody that it has been taken.
            Task.Delay(SuccessorLook, clock).Wait();
        }
    }

    /// <summary>The error where whatever listens on the socket does not talk as listend does.</summary>
    public ControlException Foreign(string what) => new(
        $"what listens at {SocketPath} does not answer as listend does: {what}\nName the control socket with --socket PATH or $LISTEND_CONTROL.",
        ExitCode.Unreachable);

    /// <summary>The error where the connection breaks off.</summary>
    public ControlException Lost(string reason) => new(
        $"lost the connection to listend at {SocketPath}: {reason}\nIs it still running? \"systemctl status listend\", or start it with \"listend run\".",
        ExitCode.Unreachable)
    {
        IsLost = true,
    };

    private ControlResponse Send(string method, string target, Deadline deadline)
    {
        // A daemon that is being upgraded may take a connection just before it stops taking any; a question may be asked again.
        const int mostAttempts = 5;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return SendOnce(method, target, deadline);
            }
            catch (ControlException error) when (error.IsLost && method == "GET" && attempt < mostAttempts)
            {
            }
        }
    }

    private ControlResponse SendOnce(string method, string target, Deadline deadline)
    {
        var socket = Connect(deadline);
        var response = new ControlResponse(socket, this) { Deadline = deadline };
        try
        {
            RequireDaemon();
            var length = method == "POST" ? "Content-Length: 0\r\n" : "";
            var request = $"{method} {target} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: listenctl/{VersionFlag.Version}\r\nAccept: application/json, application/x-ndjson, text/event-stream\r\nConnection: close\r\n{length}\r\n";
            response.Send(Encoding.ASCII.GetBytes(request));
            response.ReadHead();
            ThrowIfRefused(response);
            return response;
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    private Socket Connect(Deadline deadline)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            // connect() to a UNIX socket whose queue is full waits as long as SO_SNDTIMEO says; unix(7).
            socket.SendTimeout = deadline.RemainingMilliseconds;
            socket.Connect(new UnixDomainSocketEndPoint(SocketPath));
            return socket;
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.AccessDenied)
        {
            socket.Dispose();
            throw new ControlException(
                $"not permitted to connect to {SocketPath}: EACCES\nThe daemon's user, root and the group of the socket may: try again as one of them.",
                ExitCode.NotPermitted);
        }
        catch (SocketException error)
        {
            socket.Dispose();
            throw Unreachable(error.SocketErrorCode switch
            {
                // The runtime has no SocketError for ENOENT and says EADDRNOTAVAIL, which connect() gives to no UNIX socket.
                SocketError.AddressNotAvailable => "ENOENT, there is no such socket",
                SocketError.ConnectionRefused => "ECONNREFUSED, nobody listens on it",
                SocketError.WouldBlock or SocketError.TimedOut or SocketError.TryAgain => "EAGAIN, its queue is full and the daemon takes nothing out of it",
                SocketError.ProtocolType => "EPROTOTYPE, it is a socket of another kind",
                _ when error.Message.EndsWith(SocketPath, StringComparison.Ordinal) => error.Message[..^SocketPath.Length].TrimEnd(),
                _ => error.Message,
            });
        }
        catch (ArgumentException)
        {
            socket.Dispose();
            throw Unreachable("ENAMETOOLONG, the path of a UNIX socket has 107 bytes at most");
        }
    }

    private ControlException Silent() => new(
        $"listend at {SocketPath} took the request and did not answer within {AnswerTimeout.TotalSeconds:0} s\nIt may be stopped or stuck: see \"systemctl status listend\" and its log.",
        ExitCode.Unreachable);

    private ControlException Unreachable(string reason) => new(
        $"cannot reach listend at {SocketPath}: {reason}\nIs it running? Start it with \"listend run\", or name its socket with --socket PATH or $LISTEND_CONTROL.",
        ExitCode.Unreachable);

    private void ThrowIfRefused(ControlResponse response)
    {
        if (response.Status is >= 200 and < 300)
        {
            var type = response.ContentType;
            if (type.StartsWith("application/json", StringComparison.OrdinalIgnoreCase)
                || type.StartsWith("application/x-ndjson", StringComparison.OrdinalIgnoreCase)
                || type.StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase))
            {
                return;
            }

            throw Foreign(type.Length == 0 ? "its answer has no type" : $"its answer is {type}, not JSON");
        }

        if (!response.ContentType.StartsWith("application/problem+json", StringComparison.OrdinalIgnoreCase))
        {
            throw Foreign($"HTTP status {response.Status} without a problem document");
        }

        var body = response.ReadToEnd();
        var problem = Json.Read(body, ControlJson.Default.ProblemDocument, this);
        var detail = string.IsNullOrEmpty(problem.Detail) ? problem.Title : problem.Detail;
        throw response.Status is 401 or 403
            ? new ControlException(detail, ExitCode.NotPermitted)
            : new ControlException(detail, ExitCode.Failed) { Document = body };
    }
}
