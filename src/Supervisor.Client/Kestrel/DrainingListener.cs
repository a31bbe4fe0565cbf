using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.Win32.SafeHandles;

namespace Supervisor.Client.Kestrel;

/// <summary>
/// A listener that leaves time between ceasing to accept and the end of its connections: see <see cref="Drain"/>.
/// Kestrel closes idle connections as soon as <see cref="UnbindAsync"/> is done.
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
    /// Ceases to accept, closes this process's descriptor of the listener, and lingers (<see cref="Drain.LingerAsync"/>).
    /// <para>
    /// Kestrel by itself only ends its accept loop: an inherited descriptor is a guest to it and stays open until the
    /// process ends, which is one holder too many if the supervisor lets go of the address meanwhile. So it is closed
    /// here, by close() and nothing else: shutdown() would act on the socket that the siblings share, and reset what
    /// waits in its queue. An accept() that was under way may still succeed, and its connection is served: hence the
    /// wait for the loop's end.
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
