using Supervisor.Core.Workers;

namespace Supervisor.Core.Diagnosis;

/// <summary>Which timer of a connection runs: idiag_timer, net/ipv4/inet_diag.c.</summary>
public enum ConnectionTimer
{
    /// <summary>None: it is idle without keep-alive.</summary>
    None = 0,

    /// <summary>It waits for an acknowledgement and sends again.</summary>
    Retransmit = 1,

    /// <summary>Keep-alive.</summary>
    KeepAlive = 2,

    /// <summary>TIME_WAIT.</summary>
    TimeWait = 3,

    /// <summary>The peer's window is closed: zero-window probe.</summary>
    WindowProbe = 4,
}

/// <summary>A connection of a listener at one moment: struct inet_diag_msg and struct tcp_info (linux/tcp.h), or a UNIX socket.</summary>
public sealed class ConnectionSample
{
    /// <summary>Of enum in include/net/tcp_states.h.</summary>
    public const int Established = 1;

    private const int CloseWait = 8;

    private static readonly string[] StateNames =
    [
        "", "established", "syn-sent", "syn-received", "fin-wait-1", "fin-wait-2", "time-wait", "closed", "close-wait", "last-ack",
        "listen", "closing",
    ];

    /// <summary>The socket's cookie, unique in this boot; of a UNIX socket its inode number.</summary>
    public required ulong Cookie { get; init; }

    /// <summary>The inode number that accept() made; 0 while the connection waits in the accept queue.</summary>
    public required ulong Inode { get; init; }

    /// <summary>The state's number.</summary>
    public required int State { get; init; }

    /// <summary>The local end; null for a UNIX socket.</summary>
    public ConnectionPeer? Local { get; init; }

    /// <summary>The other end; null for a UNIX socket.</summary>
    public ConnectionPeer? Remote { get; init; }

    /// <summary>The timer that runs.</summary>
    public ConnectionTimer Timer { get; init; }

    /// <summary>When it expires, in milliseconds.</summary>
    public uint TimerMs { get; init; }

    /// <summary>Bytes that the worker has not read.</summary>
    public long ReceiveQueue { get; init; }

    /// <summary>Bytes that the peer has not acknowledged, sent or not; of a UNIX socket what the peer has not read.</summary>
    public long SendQueue { get; init; }

    /// <summary>SO_RCVBUF; 0 if unknown.</summary>
    public long ReceiveBuffer { get; init; }

    /// <summary>SO_SNDBUF; 0 if unknown.</summary>
    public long SendBuffer { get; init; }

    /// <summary>The rest, of an internet connection; null if the kernel did not report it.</summary>
    public TcpFacts? Tcp { get; init; }

    /// <summary>Whether no process has accepted it yet. A closed connection without a process is in another state.</summary>
    public bool IsWaiting => Inode == 0 && (State is Established or CloseWait);

    /// <summary>The state's name, such as established.</summary>
    public string StateName => State < StateNames.Length ? StateNames[State] : "unknown";

    /// <summary>Whether its window is closed and data waits.</summary>
    public bool IsBlockedByPeer => SendQueue > 0 && (Timer == ConnectionTimer.WindowProbe || Tcp is { Window: 0 } || Tcp is null);

    /// <summary>Time without data in either direction; null if unknown.</summary>
    public TimeSpan? IdleFor => Tcp is { } tcp ? TimeSpan.FromMilliseconds(Math.Min(tcp.LastSentMs, tcp.LastReceivedMs)) : null;

    /// <summary>
    /// A lower bound of its age, exact while one direction was always silent, and so in the accept queue; null if unknown
    /// (see <see cref="AcceptedConnection.OpenFor"/>).
    /// </summary>
    public TimeSpan? OpenFor => Tcp is { } tcp
        ? TimeSpan.FromMilliseconds(Math.Max(Math.Max(tcp.LastSentMs, tcp.LastReceivedMs), Math.Max(tcp.LastAckMs, tcp.BusyMs)))
        : null;
}

/// <summary>Of struct tcp_info.</summary>
/// <param name="Retransmits">Timeouts in a row without an answer (tcpi_retransmits).</param>
/// <param name="Probes">Unanswered probes in a row: keep-alive or window (tcpi_probes).</param>
/// <param name="RttUs">Smoothed round-trip time in microseconds.</param>
/// <param name="LastSentMs">Milliseconds since data was last sent.</param>
/// <param name="LastReceivedMs">Milliseconds since data was last received.</param>
/// <param name="LastAckMs">Milliseconds since the last acknowledgement.</param>
/// <param name="TotalRetransmits">Segments sent again, in the connection's life.</param>
/// <param name="Acked">Bytes that the peer acknowledged.</param>
/// <param name="BusyMs">Time with data in flight, in milliseconds.</param>
/// <param name="Window">The peer's receive window in bytes; null before Linux 5.4.</param>
public sealed record TcpFacts(
    int Retransmits, int Probes, uint RttUs, uint LastSentMs, uint LastReceivedMs, uint LastAckMs, uint TotalRetransmits, ulong Acked,
    uint BusyMs, uint? Window)
{
    /// <summary>The window that this end last offered, in bytes; null before Linux 6.2.</summary>
    public uint? OwnWindow { get; init; }

    /// <summary>The congestion control algorithm; null if it was not asked for.</summary>
    public string? Congestion { get; init; }
}
