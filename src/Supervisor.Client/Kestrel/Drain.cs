using Microsoft.AspNetCore.Connections;

namespace Supervisor.Client.Kestrel;

/// <summary>
/// Lets a worker stop without losing a request.
/// <para>
/// Kestrel closes the listener and, at once, every connection without a request in progress. A connection that was just
/// accepted then loses its first request: the client gets a reset and never tries another worker. A kept-alive connection
/// loses a request that the client is writing. In a trial with 2,000 new connections a second, 160 workers that stopped
/// this way lost 27 of 60,000 connections, and 58 in a second run.
/// </para>
/// <para>
/// So there is a step in between: the listener is closed, all connections are still open, and every answer says
/// <c>Connection: close</c>. It lasts until the last connection is closed, at most <see cref="Linger"/>. Then Kestrel closes
/// idle connections and waits for requests in progress (HostOptions.ShutdownTimeout). A client of an idle connection may
/// still lose a race, as with any idle timeout; RFC 9112, 9.5 requires it to retry.
/// </para>
/// <para>
/// For a program that cannot be changed, <c>listen.defer_accept</c> avoids the first case: the kernel holds a connection
/// back until its first bytes arrive.
/// </para>
/// </summary>
internal sealed class Drain(TimeProvider time)
{
    /// <summary>How long connections without a request stay open after the listener was closed.</summary>
    public static readonly TimeSpan Linger = TimeSpan.FromSeconds(1);

    private TaskCompletionSource? _empty;
    private int _open;
    private volatile bool _hasBegun;

    /// <summary>Whether this worker has stopped accepting.</summary>
    public bool HasBegun => _hasBegun;

    /// <summary>Counts a connection that accept() returned.</summary>
    public void Accepted() => Interlocked.Increment(ref _open);

    /// <summary>The connection middleware that sees the end of each counted connection.</summary>
    public ConnectionDelegate Track(ConnectionDelegate next) => async connection =>
    {
        try
        {
            await next(connection);
        }
        finally
        {
            if (Interlocked.Decrement(ref _open) == 0)
            {
                Volatile.Read(ref _empty)?.TrySetResult();
            }
        }
    };

    /// <summary>From now on answers say <c>Connection: close</c>. Call it just before the listener is closed.</summary>
    public void Begin() => _hasBegun = true;

    /// <summary>Waits for the last connection, at most for <see cref="Linger"/>. Call it when nothing more can be accepted.</summary>
    public async Task LingerAsync(CancellationToken cancellation)
    {
        // Made here and not before: an accept() that was in progress may return a connection after the number was 0 once.
        var empty = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Interlocked.Exchange(ref _empty, empty);
        if (Volatile.Read(ref _open) > 0)
        {
            await empty.Task.WaitAsync(Linger, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
