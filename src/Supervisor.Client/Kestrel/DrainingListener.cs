using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.Win32.SafeHandles;

namespace Supervisor.Client.Kestrel;

/// <summary>
/// A listener that drains between the last accept() and the end of its connections: see <see cref="Drain"/>. Kestrel closes
/// idle connections when <see cref="UnbindAsync"/> returns.
/// </summary>
internal sealed class DrainingListener(IConnectionListener inner, SafeFileHandle? descriptor, Drain drain) : IConnectionListener
{
    private readonly TaskCompletionSource _acceptLoopEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <inheritdoc />
    public EndPoint EndPoint => inner.EndPoint;

    /// <inheritdoc />
    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        var connection = await inner.AcceptAsync(cancellationToken);
        if (connection is null)
        {
            _acceptLoopEnded.TrySetResult();
        }
        else
        {
            drain.Accepted();
        }

        return connection;
    }

    /// <summary>
    /// Stops accepting, closes this process's descriptor of the listener, and drains (<see cref="Drain.LingerAsync"/>).
    /// <para>
    /// Kestrel does not close an inherited descriptor, so the address would stay bound until the process exits. It is closed
    /// here by close() only: shutdown() would reset the connections in the queue that all workers share. An accept() in
    /// progress may still return a connection, which is served; so this method waits for the end of the accept loop.
    /// </para>
    /// </summary>
    public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        drain.Begin();
        await inner.UnbindAsync(cancellationToken);
        await _acceptLoopEnded.Task.WaitAsync(cancellationToken);
        descriptor?.Dispose();
        await drain.LingerAsync(cancellationToken);
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
