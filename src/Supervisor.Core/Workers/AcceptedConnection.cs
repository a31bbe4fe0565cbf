namespace Supervisor.Core.Workers;

/// <summary>A connection that a process accepted from one of the daemon's listeners and has open.</summary>
/// <param name="Inode">The inode number of the accepted socket, which accept() makes. It is not reused for as long as it
/// matters.</param>
/// <param name="Listener">The listener's name.</param>
/// <param name="Peer">The other end; null if that has no address.</param>
public readonly record struct AcceptedConnection(ulong Inode, string Listener, ConnectionPeer? Peer)
{
    private const int Unknown = -1;

    // Compact, because there may be a hundred thousand of them: the kernel's ages are 32 bits of milliseconds.
    private readonly ConnectionPeer _peer = Peer ?? default;
    private readonly int _openFor = Unknown;
    private readonly int _silentFor = Unknown;

    /// <summary>The other end; null if that has no address.</summary>
    public ConnectionPeer? Peer
    {
        get => _peer == default ? null : _peer;
        init => _peer = value ?? default;
    }

    /// <summary>
    /// A lower bound of its age. The kernel does not store when a connection began, but it stores the ages of the last data and
    /// acknowledgement in each direction, which begin with the connection (tcp_create_openreq_child in
    /// net/ipv4/tcp_minisocks.c). The bound is exact while one direction has always been silent. Null if it is unknown: for a
    /// UNIX connection, and if it was not requested.
    /// </summary>
    public TimeSpan? OpenFor
    {
        get => Time(_openFor);
        init => _openFor = Milliseconds(value);
    }

    /// <summary>The time without data in either direction; null if unknown.</summary>
    public TimeSpan? SilentFor
    {
        get => Time(_silentFor);
        init => _silentFor = Milliseconds(value);
    }

    private static TimeSpan? Time(int milliseconds) => milliseconds == Unknown ? null : TimeSpan.FromMilliseconds(milliseconds);

    private static int Milliseconds(TimeSpan? time) =>
        time is { } known ? (int)Math.Clamp(known.TotalMilliseconds, 0, int.MaxValue) : Unknown;
}
