using System.Globalization;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Protocols;
using Supervisor.Core.State;
using Supervisor.Linux.Handoff;
using Supervisor.Linux.Kernel;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Workers;

/// <summary>
/// Einhorn's command socket for one worker, as far as workers need it: they report that they are ready, and that they are alive. The
/// worker finds it as EINHORN_SOCK_PATH, and as a connection that is open already in EINHORN_SOCK_FD. Only the worker's user may
/// connect, and the kernel names who sent a message (SCM_CREDENTIALS). Owns its sockets and the file. Lives on the loop.
/// </summary>
internal sealed class EinhornSocket : IDisposable
{
    /// <summary>Further connections wait in the queue of the socket.</summary>
    private const int MostConnections = 8;

    private readonly DescriptorHandle _listener;
    private readonly string _path;
    private readonly Disposer? _disposer;
    private readonly string _owner;
    private readonly List<EinhornConnection> _connections = [];
    private EventLoop? _loop;
    private Func<int, bool> _isOurs = static _ => false;
    private Action<EinhornMessage, int> _onMessage = static (_, _) => { };
    private Action<string, string, int> _onRefused = static (_, _, _) => { };
    private bool _isWatched;
    private bool _isDisposed;

    private EinhornSocket(string path, DescriptorHandle listener, Disposer? disposer, string owner)
    {
        (_path, _listener, _disposer, _owner) = (path, listener, disposer, owner);
    }

    /// <summary>The path of the socket, for EINHORN_SOCK_PATH.</summary>
    public string Path => _path;

    /// <summary>The sockets for a successor, by the names of their keys: the listener first, then the connections.</summary>
    public IEnumerable<KeyValuePair<string, DescriptorHandle>> Descriptors(string service, int worker)
    {
        DescriptorHandle[] all = [_listener, .. _connections.Where(one => !one.HasPart).Select(one => one.Descriptor)];
        return all.Select((one, index) => KeyValuePair.Create(DescriptorKey.Einhorn(service, worker, index), one));
    }

    /// <summary>The worker's variables, as Einhorn sets them: its index, and the ways to the socket.</summary>
    public IEnumerable<KeyValuePair<string, string>> Variables(int slot, int descriptor) =>
    [
        new("EINHORN_SOCK_PATH", _path),
        new("EINHORN_SOCK_FD", descriptor.ToString(CultureInfo.InvariantCulture)),
        new("EINHORN_CHILD_INDEX", slot.ToString(CultureInfo.InvariantCulture)),
    ];

    /// <summary>
    /// Creates the socket, which belongs to <paramref name="uid"/>, and a connection to it. The caller owns
    /// <paramref name="workerEnd"/>, the worker's end of the connection. Null and a failure if that is refused.
    /// </summary>
    public static EinhornSocket? Create(
        string path, uint? uid, Disposer? disposer, string owner, out DescriptorHandle? workerEnd, out SystemCallFailure? failure)
    {
        workerEnd = null;
        var listener = WorkerSocketFile.Create(SOCK_STREAM, path, uid, out failure);
        if (listener is null)
        {
            return null;
        }

        var socket = new EinhornSocket(path, listener, disposer, owner);
        DescriptorHandle? ownEnd = null;
        var refused = Sockets.Listen(listener, MostConnections)
            ?? DescriptorPassing.Pair(out ownEnd, out workerEnd, SOCK_STREAM) ?? Sockets.SetInt32(ownEnd!, SOL_SOCKET, SO_PASSCRED, 1);
        if (ownEnd is not null)
        {
            socket.Add(ownEnd, isLasting: true);
        }

        if (refused is { } why)
        {
            workerEnd?.Dispose();
            workerEnd = null;
            socket.Dispose();
            failure = why.With(path);
            return null;
        }

        return socket;
    }

    /// <summary>Takes over a predecessor's sockets; null if there are none.</summary>
    public static EinhornSocket? Adopt(string service, int worker, IncomingDescriptors descriptors, Disposer disposer, string owner)
    {
        if (!descriptors.TryTake(DescriptorKey.Einhorn(service, worker, 0), out var listener))
        {
            return null;
        }

        Span<byte> raw = stackalloc byte[Sockaddr.MaxLength];
        var length = Sockets.GetSocketName(listener, raw, out var known) is null ? known : 0;
        var address = Sockaddr.Decode(ListenerKind.UnixDatagram, raw[..length]);
        var socket = new EinhornSocket(address?.Path ?? "", listener, disposer, owner);
        for (var i = 1; descriptors.TryTake(DescriptorKey.Einhorn(service, worker, i), out var connection); i++)
        {
            // The first one is the worker's descriptor, which it may use at any time.
            socket.Add(connection, isLasting: i == 1);
        }

        return socket;
    }

    /// <summary>Receives messages on the loop.</summary>
    /// <param name="loop">The loop.</param>
    /// <param name="isOurs">Whether a process may send for the worker.</param>
    /// <param name="onMessage">Receives each message, and its sender.</param>
    /// <param name="onRefused">Receives, for what was rejected, the kind of reason, the reason, and the sender.</param>
    public void Watch(
        EventLoop loop, Func<int, bool> isOurs, Action<EinhornMessage, int> onMessage, Action<string, string, int> onRefused)
    {
        (_loop, _isOurs, _onMessage, _onRefused) = (loop, isOurs, onMessage, onRefused);
        _connections.ForEach(one => one.Watch(loop));
        WatchListener();
    }

    /// <summary>Receives what has arrived from a worker that has exited.</summary>
    public void Drain()
    {
        Accept();
        foreach (var connection in _connections.ToArray())
        {
            connection.Read();
        }
    }

    /// <summary>Makes the socket's file again if it was removed.</summary>
    public void Restore(uint? uid)
    {
        if (_loop is null || _isDisposed || UnixDiag.IsAt(_listener, _path))
        {
            return;
        }

        using var made = WorkerSocketFile.Create(SOCK_STREAM, _path, uid, out _);
        if (made is not null && Sockets.Listen(made, MostConnections) is null)
        {
            _loop.Replace(_listener, made);
        }
    }

    /// <summary>Stops receiving.</summary>
    public void Unwatch()
    {
        UnwatchListener();
        _connections.ForEach(one => one.Unwatch());
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        Unwatch();
        Files.Unlink(_path);
        foreach (var connection in _connections.ToArray())
        {
            End(connection);
        }

        if (_disposer is null)
        {
            _listener.Dispose();
        }
        else
        {
            _disposer.CloseListener(_owner, _listener);
        }
    }

    private void Accept()
    {
        while (_connections.Count < MostConnections && Sockets.Accept(_listener, nonBlocking: true, out _) is { } descriptor)
        {
            // The worker's message is usually there already.
            var connection = Add(descriptor, isLasting: false);
            connection.Watch(_loop!);
            connection.Read();
        }

        if (_connections.Count >= MostConnections)
        {
            UnwatchListener();
        }
    }

    private EinhornConnection Add(DescriptorHandle descriptor, bool isLasting)
    {
        var connection = new EinhornConnection(
            descriptor, isLasting, Take, (kind, reason, sender) => _onRefused(kind, reason, sender), End);
        _connections.Add(connection);
        return connection;
    }

    private bool Take(EinhornMessage message, int sender)
    {
        if (!_isOurs(sender))
        {
            _onRefused("sender", "the sender is not a process of the worker", sender);
            return false;
        }

        _onMessage(message, sender);
        return !_isDisposed;
    }

    private void End(EinhornConnection connection)
    {
        if (!_connections.Remove(connection))
        {
            return;
        }

        connection.Unwatch();
        if (_disposer is null)
        {
            connection.Descriptor.Dispose();
        }
        else
        {
            _disposer.CloseSocket(_owner, connection.Descriptor);
        }

        WatchListener();
    }

    private void WatchListener()
    {
        if (_loop is not null && !_isWatched && !_isDisposed)
        {
            _isWatched = true;
            _loop.Watch(_listener, Accept);
        }
    }

    private void UnwatchListener()
    {
        _isWatched = false;
        _loop?.Unwatch(_listener);
    }
}
