using System.Net;

namespace Supervisor.Load;

/// <summary>A bounded pool of connections. It lends the last returned one first, because its buffers are in the cache.</summary>
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

    /// <summary>Returns a closed connection.</summary>
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

    /// <summary>Cancels every operation whose deadline has passed.</summary>
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

    /// <summary>Waits until all connections are returned. Do not rent one in the meantime.</summary>
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
