using System.Net;
using System.Net.Sockets;
using System.Threading.Tasks.Sources;

namespace Supervisor.Load;

/// <summary>
/// An awaitable socket call, one at a time, that is reused without allocation. Errors are values, so a thousand refused
/// connections cost no more than a thousand accepted ones.
/// </summary>
internal sealed class SocketOperation() : SocketAsyncEventArgs(true), IValueTaskSource<SocketError>
{
    private ManualResetValueTaskSourceCore<SocketError> _core;

    /// <summary>connect().</summary>
    public ValueTask<SocketError> ConnectAsync(Socket socket, EndPoint target)
    {
        _core.Reset();
        RemoteEndPoint = target;
        SetBuffer(default);
        return socket.ConnectAsync(this) ? new ValueTask<SocketError>(this, _core.Version) : new ValueTask<SocketError>(SocketError);
    }

    /// <summary>send(). <see cref="SocketAsyncEventArgs.BytesTransferred"/> is the number of sent bytes.</summary>
    public ValueTask<SocketError> SendAsync(Socket socket, Memory<byte> bytes)
    {
        _core.Reset();
        SetBuffer(bytes);
        return socket.SendAsync(this) ? new ValueTask<SocketError>(this, _core.Version) : new ValueTask<SocketError>(SocketError);
    }

    /// <summary>recv(). <see cref="SocketAsyncEventArgs.BytesTransferred"/> is the number of received bytes; 0 at the end.</summary>
    public ValueTask<SocketError> ReceiveAsync(Socket socket, Memory<byte> buffer)
    {
        _core.Reset();
        SetBuffer(buffer);
        return socket.ReceiveAsync(this) ? new ValueTask<SocketError>(this, _core.Version) : new ValueTask<SocketError>(SocketError);
    }

    /// <inheritdoc />
    public SocketError GetResult(short token) => _core.GetResult(token);

    /// <inheritdoc />
    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

    /// <inheritdoc />
    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    /// <inheritdoc />
    protected override void OnCompleted(SocketAsyncEventArgs e) => _core.SetResult(SocketError);
}
