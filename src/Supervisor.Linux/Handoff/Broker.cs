using System.Diagnostics;
using Serilog;
using Supervisor.Core;
using Supervisor.Core.Protocols;
using Supervisor.Core.State;
using Supervisor.Core.Workers;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Output;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Handoff;

/// <summary>
/// The broker: sends duplicates of the daemon's descriptors by SCM_RIGHTS over a SOCK_SEQPACKET socket to which every user may
/// connect. <see cref="BrokerAccess"/> decides what a client may do. On the loop.
/// </summary>
/// <remarks>
/// <para>
/// One packet is one request and one packet is its answer, so a malformed request cannot affect the next one. No call waits.
/// </para>
/// <para>
/// What a client can make the daemon keep is bounded: a connection, one reply that waits (a list of handles, not copies of
/// descriptors), and one descriptor during a put request. Its further requests wait in the buffer of its own socket.
/// </para>
/// </remarks>
public sealed class Broker : IDeadline, IDisposable
{
    /// <summary>How long a connection may send no request if its user runs no worker and no <c>allow</c> names the user.</summary>
    public static readonly TimeSpan StrangerPatience = TimeSpan.FromSeconds(30);

    /// <summary>How long requests are answered in one turn before other events get their turn.</summary>
    private static readonly TimeSpan Stretch = TimeSpan.FromMilliseconds(5);

    private readonly EventLoop _loop;
    private readonly IBrokerTable _table;
    private readonly LogLimit _log;
    private readonly Disposer _disposer;
    private readonly BrokerListener _listener;
    private readonly BrokerAdmission _admission;
    private readonly BrokerRequests _requests;
    private readonly Queue<BrokerConnection> _asking = new();
    private readonly SerialQueue _probes;
    private bool _isServing;

    private Broker(EventLoop loop, IBrokerTable table, Disposer disposer, ILogger log, string path, DescriptorHandle socket)
    {
        _loop = loop;
        _table = table;
        _disposer = disposer;
        _log = new LogLimit(loop, log);
        _probes = new SerialQueue(loop);
        Access = new BrokerAccess(loop);
        _admission = new BrokerAdmission(table, Access, disposer);
        _requests = new BrokerRequests(table, Access);
        _listener = new BrokerListener(loop, path, socket, disposer, _log, Admit);
        loop.Add(this);
    }

    /// <summary>
    /// Above this many handles the broker does not recheck them when the client disconnects, because that would delay the loop.
    /// </summary>
    public const int MaxWatchedHandles = 64;

    /// <summary>Raised when a client that took these handles has disconnected: it may have changed their options.</summary>
    public event Action<IReadOnlyCollection<ListenerHandle>>? TakerDisconnected;

    /// <summary>Decides which client may take which handle.</summary>
    public BrokerAccess Access { get; }

    /// <summary>The listening socket, for a successor.</summary>
    public DescriptorHandle Listener => _listener.Descriptor;

    /// <summary>Makes the socket again if its file was removed. Null, or the reason why that fails.</summary>
    public string? Restore() => _listener.Restore();

    /// <summary>How many clients are connected.</summary>
    public int Connections => _admission.Connections.Count;

    /// <inheritdoc/>
    public TimeSpan? NextDeadline
    {
        get
        {
            TimeSpan? next = null;
            foreach (var connection in _admission.Connections)
            {
                next = connection.Deadline is { } at && !(next <= at) ? at : next;
            }

            return next;
        }
    }

    /// <summary>The shared packet buffer.</summary>
    internal BrokerPacket Packet { get; } = new();

    /// <summary>
    /// Makes the socket with mode 0666, or takes over a predecessor's, and serves it on the loop. It replaces a file at the
    /// path. Null with the reason if that fails.
    /// </summary>
    public static Broker? TryStart(
        EventLoop loop, string path, IBrokerTable table, Disposer disposer, ILogger log, out string? error,
        DescriptorHandle? inherited = null)
    {
        error = null;
        return (inherited ?? BrokerListener.Open(path, out error)) is { } socket
            ? new Broker(loop, table, disposer, log, path, socket)
            : null;
    }

    /// <inheritdoc/>
    public void PassDeadline()
    {
        var now = _loop.Now;
        foreach (var connection in _admission.Connections.Where(connection => connection.Deadline <= now).ToArray())
        {
            if (!connection.IsIdle)
            {
                var peer = connection.Peer;
                _log.Write(peer.Description, "unread", (log, leftOut) => log.Kind(MessageIds.BrokerClientStalled).Warning(
                    "broker: pid {Pid} ({Peer}) does not read its reply: closing its connection{LeftOut}",
                    peer.Pid, peer.Description, leftOut));
            }

            Close(connection);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _loop.Remove(this);
        _listener.Dispose();
        foreach (var connection in _admission.Connections)
        {
            connection.Dispose();
        }

        _log.Dispose();
    }

    /// <summary>Closes a connection.</summary>
    internal void Close(BrokerConnection connection)
    {
        _admission.Remove(connection);
        connection.Dispose();
        if (connection.Taken.Count is > 0 and <= MaxWatchedHandles)
        {
            TakerDisconnected?.Invoke(connection.Taken);
        }
    }

    /// <summary>The reply to one packet; null if the broker has handed the connection over.</summary>
    internal BrokerReply? Answer(
        BrokerConnection connection, ReadOnlySpan<byte> data, bool truncated, bool descriptorsLost, List<DescriptorHandle> received) =>
        _requests.Answer(connection.Peer, data, truncated, descriptorsLost, received, () => Release(connection));

    private DescriptorHandle Release(BrokerConnection connection)
    {
        _admission.Remove(connection);
        return connection.Release();
    }

    /// <summary>Handles a failed send: the peer has exited, or a limit of the host is reached.</summary>
    internal void SendFailed(BrokerConnection connection, SystemCallError error)
    {
        if (error.Errno == ETOOMANYREFS)
        {
            _log.Write("", "references", (log, leftOut) => log.Kind(MessageIds.BrokerLimit).Warning(
                "broker: {Error}: too many descriptors of this user are in unread messages; raise LimitNOFILE= (unix(7)){LeftOut}",
                error.ToString(), leftOut));
        }

        Close(connection);
    }

    /// <summary>
    /// A connection has a request. The broker answers it at the end of this turn, or of a later one if there are many.
    /// </summary>
    internal void Enqueue(BrokerConnection connection)
    {
        _asking.Enqueue(connection);
        if (!_isServing)
        {
            _isServing = true;
            _loop.AtTurnEnd(Serve);
        }
    }

    /// <summary>
    /// Identifies the peer on another thread, one peer of each user at a time, and looks up the names in <c>allow</c>. A peer
    /// that is a worker does not wait for names.
    /// </summary>
    internal void Identify(BrokerConnection connection)
    {
        var peer = connection.Peer;
        Access.LookUp(_table.Handles);
        _probes.Enqueue<ProcessLineage>(
            peer.Uid,
            () =>
            {
                if (connection.HasEnded)
                {
                    Close(connection);
                    return null;
                }

                var pidfd = peer.OpenPidfd();
                return () =>
                {
                    using (pidfd)
                    {
                        return Task.FromResult(peer.ReadLineage(pidfd));
                    }
                };
            },
            lineage =>
            {
                peer.Lineage = lineage;
                if (Access.IsLookingUp && lineage is not null && _table.ServiceOf(lineage, null) is not null)
                {
                    connection.Identified();
                }
                else
                {
                    Access.WhenKnown(connection.Identified);
                }
            });
    }

    /// <summary>Answers one request of each connection that has one, in order of arrival, for a limited time.</summary>
    private void Serve()
    {
        var began = Stopwatch.GetTimestamp();
        for (var left = _asking.Count; left > 0 && Stopwatch.GetElapsedTime(began) < Stretch; left--)
        {
            _asking.Dequeue().Serve();
        }

        _isServing = _asking.Count > 0;
        if (_isServing)
        {
            _loop.Post(Serve);
        }
    }

    /// <summary>
    /// Adds the connections that a re-executed daemon continues, which answers their unread requests. It leaves out a
    /// connection with a pending reply; that client reads the end of the connection in the middle of the reply.
    /// </summary>
    public void Snapshot(OutgoingDescriptors descriptors)
    {
        var index = 0;
        foreach (var connection in _admission.Connections.Where(connection => connection.AcceptsRequests))
        {
            descriptors.Add(DescriptorKey.BrokerClient(index++), connection.Socket);
        }
    }

    /// <summary>
    /// Closes the connections that <see cref="Snapshot"/> leaves out. execve() must not close them, because closing a socket
    /// also closes the descriptors in its unread messages.
    /// </summary>
    public void CloseUnfinished()
    {
        foreach (var connection in _admission.Connections.Where(connection => !connection.AcceptsRequests).ToArray())
        {
            Close(connection);
        }
    }

    /// <summary>Continues a predecessor's connections.</summary>
    public void Adopt(IncomingDescriptors descriptors)
    {
        for (var index = 0; descriptors.TryTake(DescriptorKey.BrokerClient(index), out var socket); index++)
        {
            if (BrokerPeer.Of(socket) is { } peer)
            {
                Add(socket, peer);
            }
            else
            {
                _disposer.CloseSocket("broker", socket);
            }
        }
    }

    /// <summary>Takes over an accepted connection. A client that gets no place reads the reason, and the broker closes it.</summary>
    private void Admit(DescriptorHandle socket)
    {
        if (BrokerPeer.Of(socket) is not { } peer)
        {
            _disposer.CloseSocket("broker", socket);
            return;
        }

        if (_admission.Refuse(socket, peer, out var evicted) is { } reason)
        {
            // Read the request first: closing a socket with unread data resets the connection, and the peer would not see the
            // reason.
            Span<byte> unread = stackalloc byte[1];
            if (Sockets.Peek(socket, withCredentials: false, unread, out _, out _, out _, out var carries, out _) >= 0 && !carries)
            {
                Sockets.Remove(socket);
            }

            BrokerReply.Error(new BrokerError(BrokerErrorCode.Busy, reason)).TrySend(socket, Packet, static _ => { }, out _);
            _disposer.CloseSocket(Disposer.OwnerOf(peer.Uid), socket);
            return;
        }

        if (evicted is not null)
        {
            Close(evicted);
        }

        // The largest packet must fit, regardless of net.core.wmem_default.
        Sockets.SetInt32(socket, SOL_SOCKET, SO_SNDBUF, 4 * BrokerRequest.MaxBytes);
        Add(socket, peer);
    }

    private void Add(DescriptorHandle socket, BrokerPeer peer) =>
        _admission.Add(new BrokerConnection(_loop, this, _disposer, socket, peer, _admission.IsStranger(peer)));
}
