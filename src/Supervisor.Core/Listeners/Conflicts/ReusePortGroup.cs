namespace Supervisor.Core.Listeners.Conflicts;

/// <summary>
/// The order of the sockets in a SO_REUSEPORT group, by which a selection program returns a place. The kernel does not show it,
/// so it is tracked. A socket joins at the end, by listen() for TCP and by bind() for UDP. When a socket is removed, the last
/// one takes its place (net/core/sock_reuseport.c, reuseport_add_sock and __reuseport_detach_sock). Proven by
/// <c>ShardGroupTests</c>. Inode numbers identify the sockets.
/// </summary>
public sealed class ReusePortGroup
{
    private readonly List<ulong> _places;

    /// <summary>A group of those members, in their order.</summary>
    public ReusePortGroup(params IEnumerable<ulong> members) => _places = [.. members];

    /// <summary>Its members by place.</summary>
    public IReadOnlyList<ulong> Members => _places;

    /// <summary>A socket has joined. A socket that is a member already changes nothing.</summary>
    public void Join(ulong inode)
    {
        if (!_places.Contains(inode))
        {
            _places.Add(inode);
        }
    }

    /// <summary>A socket was removed: it was shut down, or no process holds it any more.</summary>
    public void Leave(ulong inode)
    {
        var place = _places.IndexOf(inode);
        if (place >= 0)
        {
            _places[place] = _places[^1];
            _places.RemoveAt(_places.Count - 1);
        }
    }

    /// <summary>The place of a socket; -1 if it is not a member.</summary>
    public int PlaceOf(ulong inode) => _places.IndexOf(inode);
}
