using Microsoft.AspNetCore.Connections;

namespace Supervisor.Daemon.Control;

/// <summary>
/// Bounds the connections of an HTTP server. At the limit, a new connection closes the one that has been idle for the longest
/// time, so idle clients cannot lock out others. Any thread.
/// </summary>
/// <remarks>
/// A connection is idle while the server answers no request of it: before the first request, between two requests, and
/// while a request's header is incomplete. The remote address does not count: on loopback all clients have the same. On the control
/// socket the kernel tells the user: a user other than root and the daemon's own gets only a part of the places, and so do all of
/// them together, and their connections close only theirs.
/// </remarks>
internal sealed class ConnectionPlaces
{
    /// <summary>The most connections of one user other than root and the daemon's own.</summary>
    public const int MostOfUser = 32;

    /// <summary>The part of the limit that is reserved for root and the daemon's own user.</summary>
    private const int ReservedPart = 3;

    private readonly int _most;
    private readonly bool _endsRequests;

    /// <summary>In the order in which the connections entered the state.</summary>
    private readonly LinkedList<Place> _idle = new();
    private readonly LinkedList<Place> _busy = new();

    /// <param name="most">The limit of open connections.</param>
    /// <param name="endsRequests">Whether, if no connection is idle, the connection with the oldest request is closed; otherwise
    /// the new connection exceeds the limit.</param>
    public ConnectionPlaces(int most, bool endsRequests)
    {
        _most = most;
        _endsRequests = endsRequests;
    }

    /// <summary>The number of connections with a request in progress.</summary>
    public int Busy
    {
        get
        {
            lock (_idle)
            {
                return _busy.Count;
            }
        }
    }

    /// <summary>
    /// Admits a connection, and closes another one at the limit, or this one if no other may be closed for it. Dispose of the place
    /// when the connection is closed.
    /// </summary>
    /// <param name="connection">The connection.</param>
    /// <param name="user">The client's user; null for root, the daemon's own user, and where the user is not known.</param>
    public Place Enter(ConnectionContext connection, uint? user = null)
    {
        var place = new Place(this, connection, user);
        Place? closed;
        lock (_idle)
        {
            closed = user is null ? Crowded() : Crowded(place);
            closed?.Remove();
            if (closed != place)
            {
                place.AppendTo(_idle);
            }
        }

        closed?.Close();
        return place;
    }

    /// <summary>The place to give up for another connection; null if there is room, or if all have requests.</summary>
    private Place? Crowded() => _idle.Count + _busy.Count < _most ? null
        : _idle.FirstOrDefault(place => place.User is not null) ?? (_idle.First ?? (_endsRequests ? _busy.First : null))?.Value;

    /// <summary>
    /// The place to give up for a new one of a user with limits; null if there is room. It is the new one itself if all others are busy.
    /// </summary>
    private Place? Crowded(Place place)
    {
        var others = _idle.Concat(_busy).Where(other => other.User is not null).ToArray();
        var own = Array.FindAll(others, other => other.User == place.User);
        return own.Length >= MostOfUser ? FirstIdle(own) ?? place
            : others.Length >= _most - (_most / ReservedPart) ? FirstIdle(others) ?? place
            : null;

        // In the order in which they became idle.
        static Place? FirstIdle(Place[] places) => Array.Find(places, other => other.IsIdle);
    }

    /// <summary>A connection's place.</summary>
    internal sealed class Place : IDisposable
    {
        private readonly ConnectionPlaces _places;
        private readonly ConnectionContext _connection;
        private readonly LinkedListNode<Place> _node;

        public Place(ConnectionPlaces places, ConnectionContext connection, uint? user)
        {
            _places = places;
            _connection = connection;
            User = user;
            _node = new LinkedListNode<Place>(this);
        }

        /// <summary>The client's user, if it has limits.</summary>
        public uint? User { get; }

        /// <summary>Whether it has no request in progress. Under the lock of the places.</summary>
        public bool IsIdle => _node.List == _places._idle;

        /// <summary>A complete request has arrived.</summary>
        public void Begin() => Move(_places._busy);

        /// <summary>The request was answered.</summary>
        public void End() => Move(_places._idle);

        /// <inheritdoc/>
        public void Dispose()
        {
            lock (_places._idle)
            {
                Remove();
            }
        }

        internal void AppendTo(LinkedList<Place> list) => list.AddLast(_node);

        internal void Remove() => _node.List?.Remove(_node);

        internal void Close() => _connection.Abort(new ConnectionAbortedException("closed for another connection: too many are open"));

        private void Move(LinkedList<Place> list)
        {
            lock (_places._idle)
            {
                // A connection that is being closed is in neither list.
                if (_node.List is not null)
                {
                    Remove();
                    AppendTo(list);
                }
            }
        }
    }
}
