using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Supervisor.Control;
using Supervisor.Control.CommandLine;
using Supervisor.Core.Listeners;
using Supervisor.Linux.Continuity;
using Supervisor.Linux.Kernel;
using Supervisor.Listenctl.Terminal;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Listenctl.Client;

/// <summary>
/// A client of the control socket: blocking HTTP/1.1 over a UNIX socket, one connection per request. HttpClient would start
/// a thread pool, an epoll thread and a connection pool for that one request, and it took twice as long.
/// </summary>
internal sealed class ControlClient
{
    /// <summary>How long the daemon may take to begin its answer. It answers from memory, so a slower one is stuck.</summary>
    public static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(10);

    /// <summary>The media type of Prometheus' text format.</summary>
    public const string MetricsType = "text/plain; version=0.0.4";

    private const string DocumentType = "application/json";
    private const string LinesType = "application/x-ndjson";
    private const string EventsType = "text/event-stream";

    private readonly TimeProvider clock;
    private readonly bool printsToReader;

    private static readonly TimeSpan SuccessorPollInterval = TimeSpan.FromMilliseconds(20);

    private ControlClient(string path, CommandContext context)
    {
        SocketPath = path;
        clock = context.Clock;
        printsToReader = context.Output is StandardOutput { IsClosed: false };
    }

    /// <summary>The control socket's path.</summary>
    public string SocketPath { get; }

    /// <summary>The folder of the control socket: the daemon's runtime directory.</summary>
    public string Directory => Path.GetDirectoryName(Path.GetFullPath(SocketPath))!;

    /// <summary>How long to wait for a successor of a daemon that has exited: systemd restarts one within this time.</summary>
    public TimeSpan SuccessorTimeout { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How often to check, while waiting for an answer, that there still is a daemon.</summary>
    public static TimeSpan DaemonCheckInterval { get; } = TimeSpan.FromMilliseconds(250);

    /// <summary>A client for the given socket, or for the default one. Does not connect yet.</summary>
    public static ControlClient For(string? socket, CommandContext context)
    {
        var variable = context.Variable("LISTEND_CONTROL");
        var path = !string.IsNullOrEmpty(socket) ? socket
            : !string.IsNullOrEmpty(variable) ? variable
            : DefaultSocket(context);
        return path is not null
            ? new ControlClient(path, context)
            : throw new ControlException(
                "no control socket: neither LISTEND_CONTROL nor XDG_RUNTIME_DIR is set\n" +
                "Name the socket with --socket PATH, or set LISTEND_CONTROL.",
                ExitCode.Unreachable);
    }

    /// <summary>The system's daemon where this user may connect to it, otherwise the user's own; null if neither is known.</summary>
    private static string? DefaultSocket(CommandContext context)
    {
        var system = RuntimePaths.Default(isRoot: true)!.ControlSocket;
        return context.IsRoot || context.MayOpen(system) ? system : RuntimePaths.Default(isRoot: false, context.Variable)?.ControlSocket;
    }

    /// <summary>
    /// Reads a document of this media type, which arrives within <paramref name="timeout"/>; null: <see cref="AnswerTimeout"/>.
    /// </summary>
    public byte[] Get(string target, TimeSpan? timeout = null, string type = DocumentType)
    {
        try
        {
            using var answer = Send("GET", target, [type], Deadline.After(timeout ?? AnswerTimeout, clock));
            return answer.ReadToEnd();
        }
        catch (TimeoutException)
        {
            throw NoAnswer(timeout);
        }
    }

    /// <summary>Opens an endless stream of documents, which the caller disposes. It ends with the reader of standard output.</summary>
    public ControlResponse Follow(string target)
    {
        try
        {
            var answer = Send("GET", target, [LinesType, EventsType], Deadline.After(AnswerTimeout, clock));
            answer.Deadline = Deadline.None;
            answer.NeedsReader = printsToReader;
            return answer;
        }
        catch (TimeoutException)
        {
            throw NoAnswer();
        }
    }

    /// <summary>Requests a change and returns the document of the answer.</summary>
    public byte[] Post(string target, TimeSpan? timeout = null)
    {
        try
        {
            using var answer = Send("POST", target, [DocumentType], Deadline.After(timeout ?? AnswerTimeout, clock));
            return answer.ReadToEnd();
        }
        catch (TimeoutException)
        {
            throw NoAnswer(timeout);
        }
    }

    /// <summary>
    /// Requests a change and opens the stream of its steps, which the caller disposes.
    /// <see cref="TimeoutException"/> if the daemon sends nothing until <paramref name="deadline"/>.
    /// </summary>
    public ControlResponse PostAndWatch(string target, Deadline deadline) => Send("POST", target, [LinesType, DocumentType], deadline);

    /// <summary>
    /// Returns if a daemon holds the lock of the runtime directory, or if that cannot be seen. Otherwise waits for
    /// <see cref="SuccessorTimeout"/> and throws. Checked before each request: a request in the queue of a socket without a
    /// daemon would be carried out by a later daemon, long after its sender has given up.
    /// </summary>
    public void RequireDaemon()
    {
        var file = new RuntimePaths(Directory).LockFile;
        var since = clock.GetTimestamp();
        while (LockHolder.Of(file) is { Lives: false } last)
        {
            if (clock.GetElapsedTime(since) >= SuccessorTimeout)
            {
                var who = last.Pid is { } pid ? string.Create(CultureInfo.InvariantCulture, $" (pid {pid})") : "";
                throw new ControlException(
                    $"no listend runs at {SocketPath}: the last one{who} has exited without closing the socket\n" +
                    "Start it with \"systemctl start listend\" or \"listend run\". "
                    + "Until then its listeners stay open and its workers continue.",
                    ExitCode.Unreachable);
            }

            // A file lock cannot be waited for without taking it.
            Task.Delay(SuccessorPollInterval, clock).Wait();
        }
    }

    /// <summary>The error for a peer that does not answer as listend does.</summary>
    public ControlException NotListend(string what) => new(
        $"the program at {SocketPath} is not listend: {what}\nName the control socket with --socket PATH or $LISTEND_CONTROL.",
        ExitCode.Unreachable);

    /// <summary>The error for a connection that breaks.</summary>
    public ControlException ConnectionLost(string reason) => new(
        $"lost the connection to listend at {SocketPath}: {reason}\nCheck that it runs: \"systemctl status listend\".",
        ExitCode.Unreachable)
    {
        IsLost = true,
    };

    private ControlResponse Send(string method, string target, string[] types, Deadline deadline)
    {
        // A daemon may accept a connection just before its upgrade. Repeating a GET changes nothing.
        const int mostAttempts = 5;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return SendOnce(method, target, types, deadline);
            }
            catch (ControlException error) when (error.IsLost && method == "GET" && attempt < mostAttempts)
            {
            }
        }
    }

    private ControlResponse SendOnce(string method, string target, string[] types, Deadline deadline)
    {
        var socket = Connect(deadline);
        var response = new ControlResponse(socket, this) { Deadline = deadline };
        try
        {
            RequireDaemon();
            var length = method == "POST" ? "Content-Length: 0\r\n" : "";
            var request = $"{method} {target} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: listenctl/{VersionFlag.Version}\r\n"
                + $"Accept: application/json, application/x-ndjson, text/event-stream\r\nConnection: close\r\n{length}\r\n";
            response.Send(Encoding.ASCII.GetBytes(request));
            response.ReadHead();
            ThrowIfRefused(response, types);
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
            // connect() to a UNIX socket with a full queue waits up to SO_SNDTIMEO; unix(7).
            socket.SendTimeout = deadline.RemainingMilliseconds;

            // The runtime's own connect() changes a path that is not UTF-8, and has no errno for some errors.
            if (Sockaddr.Encode(ListenAddress.Unix(ListenerKind.UnixStream, SocketPath, isAbstract: false)) is not { } raw)
            {
                throw Unreachable($"ENAMETOOLONG, the path of a UNIX socket has at most {ListenAddress.MaxUnixPathBytes} bytes");
            }

            var descriptor = (int)socket.SafeHandle.DangerousGetHandle();
            SystemCallError? refused;
            do
            {
                refused = Sockets.Connect(descriptor, raw);
            }
            while (refused?.Errno == EINTR);
            return refused is { } why ? throw Refused(why) : socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private ControlException Refused(SystemCallError refused) => refused.Errno switch
    {
        EACCES or EPERM => new ControlException(
            $"not permitted to connect to {SocketPath}: {refused.Name}\n"
            + "Run the command as root, as the daemon's user or as a member of the socket's group (daemon.control_group).",
            ExitCode.NotPermitted),
        ENOENT => Unreachable("ENOENT, no such socket"),
        ECONNREFUSED => Unreachable("ECONNREFUSED, no program listens on it"),
        EAGAIN => Unreachable("EAGAIN, its queue is full and the daemon does not accept"),
        EPROTOTYPE => Unreachable("EPROTOTYPE, it is not a stream socket"),
        ELOOP => Unreachable("ELOOP, a symlink leads back to itself"),
        ENOTDIR => Unreachable("ENOTDIR, a part of the path is not a directory"),
        _ => Unreachable($"{refused.Name} ({refused.Text})"),
    };

    private ControlException NoAnswer(TimeSpan? timeout = null) => new(
        $"listend at {SocketPath} did not answer within {(timeout ?? AnswerTimeout).TotalSeconds:0} s\n"
        + "It may be stopped or stuck: see \"systemctl status listend\" and its log.",
        ExitCode.Unreachable);

    private ControlException Unreachable(string reason)
    {
        var holder = LockHolder.Of(new RuntimePaths(Directory).LockFile);
        var pid = holder.Pid?.ToString(CultureInfo.InvariantCulture) ?? "PID";
        var remedy = holder.Lives == true
            ? $"listend (pid {pid}) runs with this directory and holds its lock: \"kill -HUP {pid}\" makes it restore the socket."
            : "Start it with \"systemctl start listend\" or \"listend run\", or name its socket with --socket PATH or $LISTEND_CONTROL.";
        return new ControlException($"cannot connect to listend at {SocketPath}: {reason}\n{remedy}", ExitCode.Unreachable);
    }

    private void ThrowIfRefused(ControlResponse response, string[] types)
    {
        if (response.Status is >= 200 and < 300)
        {
            var type = response.ContentType;
            if (types.Any(expected => type.StartsWith(expected, StringComparison.OrdinalIgnoreCase)))
            {
                return;
            }

            throw NotListend(type.Length == 0 ? "its answer has no content type" : $"its answer is {type}, not {types[0]}");
        }

        if (!response.ContentType.StartsWith("application/problem+json", StringComparison.OrdinalIgnoreCase))
        {
            throw NotListend($"HTTP status {response.Status} without a problem document");
        }

        var body = response.ReadToEnd();
        var problem = Json.Read(body, ControlJson.Default.ProblemDocument, this);
        var detail = string.IsNullOrEmpty(problem.Detail) ? problem.Title : problem.Detail;
        throw response.Status is 401 or 403
            ? new ControlException(detail, ExitCode.NotPermitted)
            : new ControlException(detail, ExitCode.Failed) { Document = body };
    }
}
