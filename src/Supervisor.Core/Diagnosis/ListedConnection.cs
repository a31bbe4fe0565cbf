namespace Supervisor.Core.Diagnosis;

/// <summary>A connection in a list.</summary>
/// <param name="Listener">Its listener.</param>
/// <param name="Sample">What the kernel shows.</param>
public sealed record ListedConnection(ListenerSubject Listener, ConnectionSample Sample)
{
    /// <summary>The worker that has it; null while it waits, and if none is seen to have it.</summary>
    public WorkerSubject? Worker { get; init; }

    /// <summary>The process of that worker that has it.</summary>
    public int? Pid { get; init; }

    /// <summary>Its options; null if its descriptor was not examined.</summary>
    public ConnectionOptions? Options { get; init; }
}

/// <summary>Socket options of a connection, from getsockopt(2) on a second descriptor (pidfd_getfd(2)).</summary>
/// <param name="KeepAlive">SO_KEEPALIVE.</param>
/// <param name="KeepAliveIdle">TCP_KEEPIDLE.</param>
/// <param name="NoDelay">TCP_NODELAY.</param>
/// <param name="UserTimeout">TCP_USER_TIMEOUT.</param>
public sealed record ConnectionOptions(bool? KeepAlive, TimeSpan? KeepAliveIdle, bool? NoDelay, TimeSpan? UserTimeout);

/// <summary>The order of a list of connections; the largest value comes first.</summary>
public enum ConnectionOrder
{
    /// <summary>The oldest first.</summary>
    Age,

    /// <summary>The most unread bytes first.</summary>
    Receive,

    /// <summary>The most unacknowledged bytes first.</summary>
    Send,

    /// <summary>The longest round-trip time first.</summary>
    Rtt,

    /// <summary>The most segments sent again first.</summary>
    Retransmits,
}

/// <summary>The names of the orders.</summary>
public static class ConnectionOrders
{
    /// <summary>All names, in the order of the values.</summary>
    public static IReadOnlyList<string> Names { get; } = ["age", "receive", "send", "rtt", "retransmits"];

    /// <summary>The order with that name; null if there is none.</summary>
    public static ConnectionOrder? Parse(string name)
    {
        for (var i = 0; i < Names.Count; i++)
        {
            if (Names[i] == name)
            {
                return (ConnectionOrder)i;
            }
        }

        return null;
    }

    /// <summary>The value by which a connection is ordered.</summary>
    public static double Key(this ConnectionOrder order, ConnectionSample sample) => order switch
    {
        ConnectionOrder.Age => sample.OpenFor?.TotalMilliseconds ?? 0,
        ConnectionOrder.Receive => sample.ReceiveQueue,
        ConnectionOrder.Send => sample.SendQueue,
        ConnectionOrder.Rtt => sample.Tcp?.RttUs ?? 0,
        ConnectionOrder.Retransmits => sample.Tcp is { } tcp ? tcp.TotalRetransmits + tcp.Retransmits : 0,
        _ => throw new ArgumentOutOfRangeException(nameof(order), order, null),
    };
}
