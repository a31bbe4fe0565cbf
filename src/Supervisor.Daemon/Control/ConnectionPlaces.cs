using Microsoft.AspNetCore.Connections;

namespace Supervisor.Daemon.Control;

/// <summary>
/// A bounded number of connections to an HTTP server, of which the longest idle one is closed for a new one: whoever opens
/// connections and asks nothing shuts nobody out. Any thread.
/// </summary>
/// <remarks>
/// A connection is idle while no request of it is being answered: before its first one, between two, and while a request's
/// header is incomplete. Idle since when is what counts, so a client that asks at once is the last to be closed. The remote
/// address is not asked: on loopback everybody has the same.
/// </remarks>
internal sealed class ConnectionPlaces
{
    private readonly int _most;
    private readonly bool _endsRequests;

    /// <summary>Longest in its state first.</summary>
    private readonly LinkedList<Place> _idle = new();
    private readonly LinkedList<Place> _busy = new();

    /// <param name="most">So many connections at a time.</param>
    /// <param name="endsRequests">Whether, where each connection has a request under way, the oldest of these is ended; else the number
    /// is exceeded.</param>
    public ConnectionPlaces(int most, bool endsRequests)
    {
        _most = most;
        _endsRequests = endsRequests;
    }

    /// <summary>Connections with a request under way.</summary>
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
    /// Takes a connection in, and closes another one where there are too many. The place is the connection's until it is disposed of.
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

            place.Stand(_idle);
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

        /// <summary>A request has come whole.</summary>
        public void Begin() => Move(_places._busy);

        /// <summary>It has been answered.</summary>
        public void End() => Move(_places._idle);

        /// <inheritdoc/>
        public void Dispose()
        {
            lock (_places._idle)
            {
                Remove();
            }
        }

        internal void Stand(LinkedList<Place> list) => list.AddLast(_node);

        internal void Remove() => _node.List?.Remove(_node);

        internal void Close() => _connection.Abort(new ConnectionAbortedException("closed for another connection: too many are open"));

        private void Move(LinkedList<Place> list)
        {
            lock (_places._idle)
            {
                // One that is being closed stands nowhere any more.
                if (_node.List is not null)
                {
                    Remove();
                    Stand(list);
                }
            }
        }
    }
}
