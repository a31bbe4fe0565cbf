using Supervisor.Core;
using Supervisor.Core.Listeners;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Output;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Handoff;

/// <summary>
/// The broker's listening socket and its file, which it owns. It accepts clients, and rejects them while the daemon has no free
/// descriptor. On the loop.
/// </summary>
internal sealed class BrokerListener : IDeadline, IDisposable
{
    private const int MaxAcceptsPerWake = 64;

    /// <summary>How long no client is accepted after accept() has failed.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly EventLoop _loop;
    private readonly string _path;
    private readonly Disposer _disposer;
    private readonly LogLimit _log;
    private readonly Action<DescriptorHandle> _onAccepted;
    private DescriptorHandle? _spare;
    private TimeSpan? _resumeAt;

    /// <summary>Accepts on <paramref name="socket"/>; <paramref name="onAccepted"/> takes over each connection.</summary>
    public BrokerListener(
        EventLoop loop, string path, DescriptorHandle socket, Disposer disposer, LogLimit log, Action<DescriptorHandle> onAccepted)
    {
        _loop = loop;
        _path = path;
        Descriptor = socket;
        _disposer = disposer;
        _log = log;
        _onAccepted = onAccepted;
        _spare = Spare();
        loop.Watch(socket, Accept);
        loop.Add(this);
    }

    /// <summary>The socket.</summary>
    public DescriptorHandle Descriptor { get; }

    /// <inheritdoc/>
    public TimeSpan? NextDeadline => _resumeAt;

    /// <summary>
    /// Makes the socket with mode 0666 and listens on it; replaces a file at the path. Null with the reason if that fails. The
    /// caller owns the socket.
    /// </summary>
    public static DescriptorHandle? Open(string path, out string? error)
    {
        const int mode = 0x1B6;
        error = null;
        var raw = Sockaddr.Encode(ListenAddress.Unix(ListenerKind.UnixSeqpacket, path, isAbstract: false));
        if (raw is null)
        {
            error = $"broker socket {path}: the path is longer than {ListenAddress.MaxUnixPathBytes} bytes; "
                + "choose a shorter runtime directory";
            return null;
        }

        var socket = Sockets.Create(AF_UNIX, SOCK_SEQPACKET, 0, nonBlocking: true, out var failed);
        if (socket is null)
        {
            error = $"broker socket {path}: {failed}";
            return null;
        }

        Files.Unlink(path);
        if ((Sockets.Bind(socket, raw) ?? Files.SetMode(path, mode) ?? Sockets.Listen(socket, 128)) is { } refused)
        {
            socket.Dispose();
            error = $"broker socket {path}: {refused}";
            return null;
        }

        return socket;
    }

    /// <summary>Makes the socket again if its file was removed. Null, or the reason why that fails.</summary>
    public string? Restore()
    {
        if (UnixDiag.IsAt(Descriptor, _path))
        {
            return null;
        }

        using var made = Open(_path, out var error);
        return made is null ? error : _loop.Replace(Descriptor, made)?.ToString();
    }

    /// <inheritdoc/>
    public void PassDeadline()
    {
        _resumeAt = null;
        _loop.Watch(Descriptor, Accept);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _loop.Remove(this);
        _loop.Unwatch(Descriptor);
        Files.Unlink(_path);
        _disposer.CloseListener("broker", Descriptor);
        _spare?.Dispose();
    }

    private void Accept()
    {
        for (var i = 0; i < MaxAcceptsPerWake; i++)
        {
            var socket = Sockets.Accept(Descriptor, nonBlocking: true, out var error);
            if (socket is null)
            {
                if (error is { } refused)
                {
                    Reject(refused);
                }

                return;
            }

            _onAccepted(socket);
        }
    }

    /// <summary>
    /// Without a free descriptor accept() fails and the waiting clients would wake the loop for ever. This closes the spare
    /// descriptor, accepts and closes one connection, and reopens the spare. If that fails too, it accepts no client for a
    /// while.
    /// </summary>
    private void Reject(SystemCallError error)
    {
        _log.Write("", "rejecting", (log, leftOut) => log.Kind(MessageIds.BrokerRejecting)
            .Warning("broker: {Error}: rejecting clients; raise LimitNOFILE= in the unit{LeftOut}", error.ToString(), leftOut));
        _spare?.Dispose();
        var rejected = Sockets.Accept(Descriptor, nonBlocking: true, out _);
        if (rejected is not null)
        {
            _disposer.CloseSocket("broker", rejected);
        }

        _spare = Spare();
        if (rejected is null)
        {
            _loop.Unwatch(Descriptor);
            _resumeAt = _loop.Now + Pause;
        }
    }

    private static DescriptorHandle? Spare() => Files.Open("/dev/null", 0, 0, out _);
}
