using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Serilog;
using Supervisor.Core;
using Supervisor.Core.Listeners;
using Supervisor.Linux;
using Supervisor.Linux.Kernel;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Daemon.Control;

/// <summary>The control socket, and the HTTP server on it (<see cref="OnDemandServer"/>).</summary>
internal sealed class ControlServer : IDisposable
{
    /// <summary>How long the header of a request may take after its first byte.</summary>
    private static readonly TimeSpan HeaderTimeout = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(2);

    private const int MaxRequestLine = 4096;
    private const int MaxHeaders = 16 * 1024;

    /// <summary>The limit of concurrent requests; further connections are closed at once.</summary>
    private const int MostBusy = 256;

    /// <summary>The limit of open connections; at the limit, a new one closes the one that has been idle for the longest time.</summary>
    private const int MostOpen = 192;

    private readonly EventLoop _loop;
    private readonly string _path;
    private readonly ILogger _log;
    private readonly DescriptorHandle _listener;
    private CancellationTokenSource _stopping = new();
    private OnDemandServer? _server;

    private ControlServer(EventLoop loop, string path, ILogger log, DescriptorHandle listener)
    {
        _loop = loop;
        _path = path;
        _log = log;
        _listener = listener;
        Group = new ControlGroup(loop, path, log);
        Access = new AccessPolicy(loop, path);
    }

    /// <summary>The socket, which the daemon owns.</summary>
    public DescriptorHandle Listener => _listener;

    /// <summary>The group whose members may read.</summary>
    public ControlGroup Group { get; }

    /// <summary>What other users may do.</summary>
    public AccessPolicy Access { get; }

    /// <summary>Cancelled when the daemon stops, which ends open streams.</summary>
    public CancellationToken Stopping => _stopping.Token;

    /// <summary>
    /// Binds the socket at <paramref name="path"/>, or uses the predecessor's; null with the reason on failure. Clients wait in
    /// its queue until <see cref="Serve"/>.
    /// </summary>
    public static ControlServer? TryBind(EventLoop loop, string path, ILogger log, DescriptorHandle? inherited, out string? error)
    {
        if (inherited is not null)
        {
            error = null;
            return Bound(loop, path, log, inherited);
        }

        return Open(path, out error) is { } socket ? Bound(loop, path, log, socket) : null;
    }

    /// <summary>
    /// Makes the socket again if its file was removed; clients that are connected stay. Null, or the reason why that fails.
    /// </summary>
    public string? Restore()
    {
        if (UnixDiag.IsAt(_listener, _path))
        {
            return null;
        }

        using var made = Open(_path, out var error);
        if (made is null)
        {
            return error;
        }

        Sockets.SetPassRights(made, allowed: false);
        Group.Repeat();
        Access.Repeat();
        return _loop.Replace(_listener, made)?.ToString();
    }

    private static DescriptorHandle? Open(string path, out string? error)
    {
        var raw = Sockaddr.Encode(ListenAddress.Unix(ListenerKind.UnixStream, path, isAbstract: false));
        if (raw is null)
        {
            error = $"control socket {path}: the path is longer than {ListenAddress.MaxUnixPathBytes} bytes; "
                + "choose a shorter runtime directory";
            return null;
        }

        var socket = Sockets.Create(AF_UNIX, SOCK_STREAM, 0, nonBlocking: true, out var failed);
        if (socket is null)
        {
            error = $"control socket {path}: {failed}";
            return null;
        }

        // This daemon holds the lock of the runtime directory, so an existing socket file has no daemon. The mode, 0660, is set
        // before bind(), so the socket never has wider permissions.
        const int mode = 0x1B0, backlog = 128;
        Files.Unlink(path);
        var refused = Files.SetMode(socket, mode) ?? Sockets.Bind(socket, raw) ?? Files.SetMode(path, mode)
            ?? Sockets.Listen(socket, backlog);
        if (refused is { } why)
        {
            socket.Dispose();
            error = $"control socket {path}: {why}" + (FileSystemRemedy.Of(why.Name) is { } remedy ? $"; {remedy}" : "");
            return null;
        }

        error = null;
        return socket;
    }

    private static ControlServer Bound(EventLoop loop, string path, ILogger log, DescriptorHandle listener)
    {
        // The control socket takes no descriptors: the kernel refuses them at the sender, before accept() too.
        Sockets.SetPassRights(listener, allowed: false);
        return new ControlServer(loop, path, log, listener);
    }

    /// <summary>Serves clients from now on. On the loop.</summary>
    /// <param name="context">The parts of the daemon that clients read and change.</param>
    /// <param name="verbs">The changes of the whole daemon that clients can request.</param>
    /// <param name="becameIdle">Called on the loop when no client has been connected for some seconds.</param>
    public void Serve(ControlContext context, ControlVerbs verbs, Action becameIdle)
    {
        var terms = new HttpTerms(
            new UnixDomainSocketEndPoint(_path), IsLocal: true, () => new ConnectionPlaces(MostOpen, endsRequests: false), MostBusy,
            SetLimits, application => new ControlApi(context, verbs, Group, Access, Stopping).Map(application))
        {
            Failed = exception => _log.Kind(MessageIds.ControlStalled).Error(
                exception, "control socket: cannot serve requests now: {Reason}", exception.Message),
            BecameIdle = () =>
            {
                _log.Kind(MessageIds.ControlIdle).Debug(
                    "control socket: no client for {Seconds} s, stopping HTTP until the next one", OnDemandServer.IdleAfter.TotalSeconds);
                becameIdle();
            },
        };
        _server = new OnDemandServer(_loop, _listener, terms);
        _server.Serve();
    }

    /// <summary>Ends open streams and answers, and removes the socket.</summary>
    public void Stop()
    {
        _stopping.Cancel();
        Files.Unlink(_path);
        _server?.Stop(StopTimeout);
    }

    /// <inheritdoc cref="OnDemandServer.FirstServed"/>
    public Task FirstServed => _server!.FirstServed;

    /// <summary>
    /// Stops accepting: streams end, answers in progress are completed, and new connections wait in the queue. On the loop.
    /// </summary>
    public Task PauseAsync()
    {
        _stopping.Cancel();
        return _server!.PauseAsync();
    }

    /// <summary>Serves again after <see cref="PauseAsync"/>. On the loop.</summary>
    public void Resume()
    {
        _stopping = new CancellationTokenSource();
        _server!.Serve();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _server?.Dispose();
        _stopping.Dispose();
        _listener.Dispose();
    }

    private static void SetLimits(KestrelServerLimits limits)
    {
        limits.MaxRequestBodySize = 64 * 1024;
        limits.MaxRequestLineSize = MaxRequestLine;
        limits.MaxRequestHeadersTotalSize = MaxHeaders;
        limits.RequestHeadersTimeout = HeaderTimeout;
        limits.KeepAliveTimeout = TimeSpan.FromSeconds(30);
        limits.MinResponseDataRate = null;
    }
}
