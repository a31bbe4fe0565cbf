namespace Supervisor.Core.Workers;

/// <summary>A connection that was accepted from one of our listeners and is open: some process has its socket.</summary>
/// <param name="Inode">The inode number of the accepted socket; accept() makes it, and it is not used again for as long as it
/// matters.</param>
/// <param name="Listener">The listener's name.</param>
/// <param name="Peer">Who is at the other end; null where that has no address.</param>
public readonly record struct AcceptedConnection(ulong Inode, string Listener, ConnectionPeer? Peer)
{
    /// <summary>
    /// For how long it has been open at the least, as far as the kernel tells: it keeps no time of a connection's birth, but
    /// the ages of the last data and acknowledgement in either direction, which begin with it (tcp_create_openreq_child in
    /// net/ipv4/tcp_minisocks.c). While one direction has been silent all along it is exact. Null where it tells nothing: of
    /// a UNIX connection, and where it was not asked.
    /// </summary>
    public TimeSpan? OpenFor { get; init; }

    /// <summary>For how long no data has come or gone; null where that is not known.</summary>
    public TimeSpan? SilentFor { get; init; }
}
