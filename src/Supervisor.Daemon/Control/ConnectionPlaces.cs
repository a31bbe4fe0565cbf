using Microsoft.AspNetCore.Connections;

namespace Supervisor.Daemon.Control;

/// <summary>
/// Bounds the connections of an HTTP server. At the limit, a new connection closes the one that has been idle for the longest
/// time, so idle clients cannot lock out others. Any thread.
/// </summary>
/// <remarks>
/// A connection is idle while the server answers no request of it: before the first request, between two requests, and
/// while a request's header is incomplete. The remote address does not count: on loopback all clients have the same.
/// </remarks>
internal sealed class ConnectionPlaces
{
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
    /// Admits a connection, and closes another one at the limit. Dispose of the place when the connection is closed.
    /// </summary>
    public Place Enter(ConnectionContext connection)
    {
        var place = new Place(this, connection);
        Place? closed = null;
        lock (_idle)
        {
            if (_idle.Count + _busy.Count >= _most)
            {
                closed = (_idle.First ?? (_endsRequests ? _busy.First : null))?.Value;
                closed?.Remove();
            }

            place.AppendTo(_idle);
        }

        closed?.Close();
        return place;
    }

    /// <summary>A connection's place.</summary>
    internal sealed class Place : IDisposable
    {
        private readonly ConnectionPlaces _places;
        private readonly ConnectionContext _connection;
        private readonly LinkedListNode<Place> _node;

        public Place(ConnectionPlaces places, ConnectionContext connection)
        {
            _places = places;
            _connection = connection;
            _node = new LinkedListNode<Place>(this);
        }

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
