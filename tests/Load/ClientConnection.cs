using System.Net;
using System.Net.Sockets;

namespace Supervisor.Load;

/// <summary>
/// A client's connection, which is reopened with the same buffers after each close. One flow of control owns it; only
/// <see cref="Expire"/> may be called from other threads. Failures are values, not exceptions.
/// </summary>
internal sealed class ClientConnection(EndPoint target, SourceAddresses sources) : IDisposable
{
    private const long NotArmed = 0;
    private const long Expired = -1;

    private readonly SocketOperation _operation = new();
    private readonly ResponseReader _response = new();
    private readonly byte[] _buffer = new byte[4096];
    private Socket? _socket;
    private long _deadline;

    /// <summary>Whether the connection is open, as far as the client knows.</summary>
    public bool IsOpen => _socket is not null;

    /// <summary>Whether the last response announced that the server closes the connection.</summary>
    public bool ServerCloses => _response.Closes;

    /// <summary>
    /// Whether an idle kept-alive connection is unusable: closed, reset, or with unexpected bytes. Then the client can open
    /// another one without losing a request.
    /// </summary>
    public bool HasEndedWhileIdle()
    {
        try
        {
            return _socket!.Poll(0, SelectMode.SelectRead);
        }
        catch (SocketException)
        {
            return true;
        }
    }

    /// <summary>Connects, from the next source address, until <paramref name="deadline"/> (of Stopwatch). Null on success.</summary>
    public async ValueTask<Failure?> OpenAsync(long deadline)
    {
        _response.Reset();
        try
        {
            _socket = target.AddressFamily == AddressFamily.Unix
                ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
                : new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            sources.Bind(_socket);
        }
        catch (SocketException refused)
        {
            return Fail("socket", refused.SocketErrorCode);
        }

        Volatile.Write(ref _deadline, deadline);
        try
        {
            var error = await _operation.ConnectAsync(_socket, target).ConfigureAwait(false);
            return error == SocketError.Success ? null : Fail("connect", error);
        }
        catch (ObjectDisposedException)
        {
            return Fail("connect", SocketError.OperationAborted);
        }
    }

    /// <summary>
    /// Sends a request and reads the whole answer, until <paramref name="deadline"/>. Null on a 2xx answer.
    /// </summary>
    public async ValueTask<Failure?> ExchangeAsync(Memory<byte> request, long deadline)
    {
        _response.Reset();

        // Already armed if the connection was opened for this request; the deadline may also have passed.
        if (Interlocked.CompareExchange(ref _deadline, deadline, NotArmed) == Expired)
        {
            return Close(FailureKind.TimedOut, "no connection in time");
        }

        try
        {
            while (!request.IsEmpty)
            {
                var error = await _operation.SendAsync(_socket!, request).ConfigureAwait(false);
                if (error != SocketError.Success)
                {
                    return Fail("send", error);
                }

                request = request[_operation.BytesTransferred..];
            }

            while (!_response.IsComplete)
            {
                var error = await _operation.ReceiveAsync(_socket!, _buffer).ConfigureAwait(false);
                if (error != SocketError.Success)
                {
                    return Fail("receive", error);
                }

                var count = _operation.BytesTransferred;
                if (count == 0)
                {
                    _response.End();
                    if (!_response.IsComplete)
                    {
                        return Close(_response.HasBegun ? FailureKind.Truncated : FailureKind.Unanswered, "receive: end of the connection");
                    }
                }

                _response.Read(_buffer.AsSpan(0, count));
                if (_response.IsMalformed)
                {
                    return Close(FailureKind.BadStatus, "the answer is not HTTP/1.x");
                }
            }
        }
        catch (ObjectDisposedException)
        {
            return Fail("exchange", SocketError.OperationAborted);
        }

        if (Interlocked.Exchange(ref _deadline, NotArmed) == Expired)
        {
            return Close(FailureKind.TimedOut, "no complete answer in time");
        }

        return _response.Status is >= 200 and < 300 ? null : Close(FailureKind.BadStatus, $"status {_response.Status}");
    }

    /// <summary>
    /// Waits until the server has closed the connection, then closes it here. The side that closes first keeps the
    /// TIME_WAIT. Errors no longer matter, because the answer is complete.
    /// </summary>
    public async ValueTask CloseAfterServerAsync(long deadline)
    {
        Volatile.Write(ref _deadline, deadline);
        try
        {
            while (await _operation.ReceiveAsync(_socket!, _buffer).ConfigureAwait(false) == SocketError.Success
                && _operation.BytesTransferred > 0)
            {
            }
        }
        catch (ObjectDisposedException)
        {
        }

        Close();
    }

    /// <summary>Closes the connection, if there is one.</summary>
    public void Close()
    {
        Volatile.Write(ref _deadline, NotArmed);
        _socket?.Dispose();
        _socket = null;
    }

    /// <summary>Cancels the operation if its deadline has passed. Call it only from the pacer's thread.</summary>
    public void Expire(long now)
    {
        // Read the socket before taking the deadline: if the deadline can be taken, the owner still uses this socket.
        var socket = Volatile.Read(ref _socket);
        var deadline = Volatile.Read(ref _deadline);
        if (deadline > 0 && deadline <= now && Interlocked.CompareExchange(ref _deadline, Expired, deadline) == deadline)
        {
            socket?.Dispose();
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        Close();
        _operation.Dispose();
    }

    private Failure Fail(string step, SocketError error)
    {
        var kind = error switch
        {
            _ when Volatile.Read(ref _deadline) == Expired => FailureKind.TimedOut,
            SocketError.TimedOut => FailureKind.TimedOut,
            SocketError.ConnectionRefused => FailureKind.Refused,

            // A UNIX socket refuses with ENOENT, or with EAGAIN if its queue is full.
            SocketError.AddressNotAvailable or SocketError.WouldBlock
                when target.AddressFamily == AddressFamily.Unix => FailureKind.Refused,
            SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown => FailureKind.Reset,
            _ => FailureKind.Other,
        };
        return Close(kind, $"{step}: {error}");
    }

    private Failure Close(FailureKind kind, string detail)
    {
        var failure = new Failure(kind, detail, !_response.HasBegun);
        Close();
        return failure;
    }
}
