namespace Supervisor.Core.Workers;

/// <summary>A connection that a process accepted from one of the daemon's listeners and has open.</summary>
/// <param name="Inode">The inode number of the accepted socket, which accept() makes. It is not reused for as long as it
/// matters.</param>
/// <param name="Listener">The listener's name.</param>
/// <param name="Peer">The other end; null if that has no address.</param>
public readonly record struct AcceptedConnection(ulong Inode, string Listener, ConnectionPeer? Peer)
{
    /// <summary>
    /// A lower bound of its age. The kernel does not store when a connection began, but it stores the ages of the last data and
    /// acknowledgement in each direction, which begin with the connection (tcp_create_openreq_child in
    /// net/ipv4/tcp_minisocks.c). The bound is exact while one direction has always been silent. Null if it is unknown: for a
    /// UNIX connection, and if it was not requested.
    /// </summary>
    public TimeSpan? OpenFor { get; init; }

    /// <summary>The time without data in either direction; null if unknown.</summary>
    public TimeSpan? SilentFor { get; init; }
}
