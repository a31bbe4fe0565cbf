using System.Net;

namespace Supervisor.Load;

/// <summary>The connections of a run, at most so many at once; the last one given back is lent first, its buffers being warm.</summary>
internal sealed class ConnectionPool(EndPoint target, SourceAddresses sources, int most) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly List<ClientConnection> _all = [];
    private readonly Stack<ClientConnection> _free = [];
    private TaskCompletionSource? _allReturned;

    /// <summary>Lends a closed connection, or null if all are in use.</summary>
    public ClientConnection? Rent()
    {
        lock (_lock)
        {
            if (_free.TryPop(out var connection))
            {
                return connection;
            }

            if (_all.Count == most)
            {
                return null;
            }

            connection = new ClientConnection(target, sources);
            _all.Add(connection);
            return connection;
        }
    }

    /// <summary>Takes back a connection, which is closed.</summary>
    public void Return(ClientConnection connection)
    {
        lock (_lock)
        {
            _free.Push(connection);
            if (_free.Count == _all.Count)
            {
                _allReturned?.TrySetResult();
            }
        }
    }

    /// <summary>Ends whatever has passed its deadline.</summary>
    public void Expire(long now)
    {
        lock (_lock)
        {
            foreach (var connection in _all)
            {
                connection.Expire(now);
            }
        }
    }

    /// <summary>Waits until all are back. Nothing may be rented meanwhile.</summary>
    public Task AllReturnedAsync()
    {
        lock (_lock)
        {
            if (_free.Count == _all.Count)
            {
                return Task.CompletedTask;
            }

            return (_allReturned = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    /// <inheritdoc />
    public void Dispose() => _all.ForEach(connection => connection.Dispose());
}
