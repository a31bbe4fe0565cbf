namespace Supervisor.Control;

/// <summary>A connection of a listener: <c>GET /v1/connections</c>. What the kernel does not show is null.</summary>
/// <param name="Listener">The listener's name.</param>
/// <param name="Local">The local end; of a UNIX connection the listener's address.</param>
/// <param name="Remote">The other end; null for a UNIX connection.</param>
/// <param name="Pid">The process that has it; null while it waits, and if no worker is seen to have it.</param>
/// <param name="Slot">The worker's slot.</param>
/// <param name="Generation">The worker's generation.</param>
/// <param name="State">established, close-wait, ...</param>
/// <param name="AgeMs">
/// At least so old, in milliseconds: the kernel stores no begin. Exact while it waits, and while one side has never sent data.
/// </param>
/// <param name="IdleMs">Time without data in either direction, in milliseconds.</param>
/// <param name="ReceiveQueue">Bytes that the worker has not read.</param>
/// <param name="SendQueue">Bytes that the client has not acknowledged.</param>
/// <param name="RttUs">Smoothed round-trip time in microseconds.</param>
/// <param name="Retransmits">Segments sent again so far.</param>
/// <param name="KeepAlive">Keep-alive; null for a UNIX connection.</param>
/// <param name="NoDelay">TCP_NODELAY; null if the descriptor could not be examined.</param>
/// <param name="Waiting">Whether it is still in the accept queue.</param>
public sealed record ConnectionDocument(
    string Listener, string? Local, string? Remote, int? Pid, int? Slot, int? Generation, string State, long? AgeMs, long? IdleMs,
    long ReceiveQueue, long SendQueue, long? RttUs, long? Retransmits, KeepAliveDocument? KeepAlive, bool? NoDelay, bool Waiting)
{
    /// <summary>The worker's service.</summary>
    public string? Service { get; init; }

    /// <summary>SO_RCVBUF.</summary>
    public long? ReceiveBuffer { get; init; }

    /// <summary>SO_SNDBUF.</summary>
    public long? SendBuffer { get; init; }

    /// <summary>The congestion control algorithm.</summary>
    public string? Congestion { get; init; }

    /// <summary>The client's receive window in bytes.</summary>
    public long? Window { get; init; }

    /// <summary>TCP_USER_TIMEOUT in milliseconds; null if the descriptor could not be examined.</summary>
    public long? UserTimeoutMs { get; init; }
}

/// <summary>Keep-alive of a connection.</summary>
/// <param name="On">SO_KEEPALIVE; null if it cannot be seen: another timer runs, and the descriptor could not be examined.</param>
/// <param name="TimerMs">When the next probe is due, in milliseconds; null while this timer does not run.</param>
/// <param name="ProbesSent">Probes without an answer.</param>
public sealed record KeepAliveDocument(bool? On, long? TimerMs, int ProbesSent)
{
    /// <summary>TCP_KEEPIDLE in milliseconds; null if the descriptor could not be examined.</summary>
    public long? IdleMs { get; init; }
}
