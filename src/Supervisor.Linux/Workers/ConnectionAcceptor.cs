using System.Collections.Immutable;
using Supervisor.Core.Services;
using Supervisor.Linux.Handoff;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>
/// start = "per-connection": accepts the connections of the service's listeners, and hands each to the machine, which starts a
/// process for it. While <c>max_connections</c> processes run, or the rate limit is reached, nothing is accepted: connections wait
/// in the kernel's accept queue. Lives on the loop.
/// </summary>
internal sealed class ConnectionAcceptor(ServiceContext service) : IDeadline, IDisposable
{
    /// <summary>How many connections are accepted before other events of the loop have their turn.</summary>
    private const int MostInTurn = 32;

    /// <summary>The connection, the pipes of its output and the pidfd of its process, while it starts.</summary>
    private const int DescriptorsOfStart = 8;

    /// <summary>How long nothing is accepted after the daemon had no room for a descriptor.</summary>
    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromMilliseconds(100);

    private readonly Dictionary<DescriptorHandle, ListenerHandle> _watched = [];

    /// <summary>Accepted from sockets that are being closed, without regard to the limits: they start first.</summary>
    private readonly Queue<IncomingConnection> _first = new();

    /// <summary>Those for which the machine has made a worker without a process yet.</summary>
    private readonly Dictionary<WorkerConnection, IncomingConnection> _starting = new(ReferenceEqualityComparer.Instance);

    /// <summary>Those that a process has now.</summary>
    private readonly List<DescriptorHandle> _passed = [];
    private readonly RateWindow _rate = new();
    private int _live;
    private TimeSpan? _pausedUntil;

    /// <inheritdoc/>
    public TimeSpan? NextDeadline
    {
        get;
        private set
        {
            field = value;
            service.Loop.Schedule(this);
        }
    }

    /// <inheritdoc/>
    public void PassDeadline()
    {
        NextDeadline = null;
        _pausedUntil = null;
        Update(service.State);
    }

    /// <summary>Adapts to the service's new state: watches the listeners, or lets connections wait.</summary>
    public void Update(ServiceState state)
    {
        if (state.Spec.Start != StartMode.PerConnection && _watched.Count == 0)
        {
            return;
        }

        _live = state.Workers.Count(worker => worker.Connection is not null);
        var wanted = state.AcceptsConnections ? SocketsOf(service.Generations.Of(state.Generation).Listeners) : [];
        foreach (var (socket, handle) in _watched.Where(pair => !wanted.ContainsKey(pair.Key)).ToArray())
        {
            Unwatch(socket);
            if (state.AcceptsConnections)
            {
                TakeAll(handle, socket);
            }
        }

        if (!state.AcceptsConnections)
        {
            Close([.. _first.Select(connection => connection.Descriptor)]);
            _first.Clear();
        }

        if (_first.Count > 0 && Room > 0)
        {
            // Not within a step of the machine.
            service.Loop.Post(StartFirst);
        }

        if (!state.AcceptsConnections || _pausedUntil is not null || Room <= 0 || _first.Count > 0)
        {
            foreach (var socket in _watched.Keys.ToArray())
            {
                Unwatch(socket);
            }

            return;
        }

        foreach (var (socket, handle) in wanted.Where(pair => _watched.TryAdd(pair.Key, pair.Value)))
        {
            service.Loop.Watch(socket, () => Accept(handle, socket));
        }
    }

    /// <summary>
    /// The connection of a worker that starts; null if it was lost with an earlier daemon. It is closed when the turn ends.
    /// </summary>
    public IncomingConnection? Take(WorkerConnection connection)
    {
        if (!_starting.Remove(connection, out var taken))
        {
            return null;
        }

        if (_passed.Count == 0)
        {
            service.Loop.AtTurnEnd(() =>
            {
                Close([.. _passed]);
                _passed.Clear();
            });
        }

        _passed.Add(taken.Descriptor);
        return taken;
    }

    /// <summary>Closes the connection of a worker that has ended without a process.</summary>
    public void Drop(WorkerState worker)
    {
        if (worker.Connection is { } connection)
        {
            Take(connection);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var socket in _watched.Keys.ToArray())
        {
            Unwatch(socket);
        }

        Close([.. _first.Concat(_starting.Values).Select(connection => connection.Descriptor), .. _passed]);
        _passed.Clear();
        service.Loop.Remove(this);
    }

    /// <summary>How many more processes may run.</summary>
    private int Room => service.State.Spec.Connections.Max - _live;

    private static Dictionary<DescriptorHandle, ListenerHandle> SocketsOf(IReadOnlyList<ListenerHandle> listeners) => listeners
        .SelectMany(handle => handle.Sockets.Concat(handle.Leaving).Select(socket => (socket.Descriptor, Handle: handle)))
        .ToDictionary(pair => pair.Descriptor, pair => pair.Handle);

    private void Unwatch(DescriptorHandle socket)
    {
        service.Loop.Unwatch(socket);
        _watched.Remove(socket);
    }

    private void Accept(ListenerHandle handle, DescriptorHandle socket)
    {
        // A stopping step of this turn may have come first.
        if (!service.State.AcceptsConnections)
        {
            return;
        }

        var limits = service.State.Spec.Connections;
        var most = Math.Min(Math.Min(MostInTurn, Room), _rate.Room(limits, service.Loop.Now));
        var bySource = limits.MaxPerSource > 0 ? CountBySource() : null;
        var accepted = new List<IncomingConnection>();
        var refused = new List<IncomingConnection>();

        // Without descriptors for its process an accepted connection would be lost; in the accept queue it waits.
        using var hold = new DescriptorHold(socket);
        var isNear = DescriptorReserve.IsNear(socket, (_starting.Count + most) * DescriptorsOfStart);
        var isShort = isNear && !hold.Add(_starting.Count * DescriptorsOfStart);
        while (accepted.Count + refused.Count < most)
        {
            isShort = isShort || (isNear && !hold.Add(DescriptorsOfStart));
            if (isShort || AcceptOne(handle, socket) is not { } connection)
            {
                break;
            }

            var source = connection.Peer.Source;
            if (bySource is not null && bySource.GetValueOrDefault(source) >= limits.MaxPerSource)
            {
                refused.Add(connection);
                continue;
            }

            bySource?[source] = bySource.GetValueOrDefault(source) + 1;
            accepted.Add(connection);
        }

        hold.Dispose();
        _rate.Add(accepted.Count, limits, service.Loop.Now);
        Close([.. refused.Select(connection => connection.Descriptor)]);
        if (refused.Count > 0)
        {
            service.Log.ConnectionsRefused(refused[^1].Peer.Source, limits.MaxPerSource);
        }

        if (accepted.Count + refused.Count > 0)
        {
            Start(accepted, refused.Count);
        }

        if (_rate.Room(limits, service.Loop.Now) == 0)
        {
            service.Log.ConnectionsWait(
                $"connection_rate.limit ({limits.RateLimit} in {Core.Duration.Rounded(limits.RateInterval)}) is reached");
            PauseUntil(_rate.End(limits));
        }
        else if (isShort && socket is { IsClosed: false } && Polling.IsReadable(socket))
        {
            service.Log.ConnectionsWait(DescriptorReserve.ReachedText);
            PauseUntil(service.Loop.Now + PauseAfterFailure);
        }
        else if (Room <= 0 && socket is { IsClosed: false } && Polling.IsReadable(socket))
        {
            service.Log.ConnectionsWait($"max_connections ({limits.Max}) is reached");
        }
    }

    /// <summary>Accepts a connection; null if there is none, or there is no room for its descriptor.</summary>
    private IncomingConnection? AcceptOne(ListenerHandle handle, DescriptorHandle socket)
    {
        // The open file is shared: a process that the listener was lent to may have cleared the flag, and the loop must not wait.
        if (!Descriptors.IsNonBlocking(socket))
        {
            Descriptors.SetNonBlocking(socket, true);
        }

        if (Sockets.Accept(socket, nonBlocking: false, out var error) is { } descriptor)
        {
            return IncomingConnection.Of(handle, descriptor);
        }

        if (error is { } failure)
        {
            service.Log.AcceptFailed(handle.Name, failure.ToString() + ProgramLauncher.Exhausted(failure.Name));
            PauseUntil(service.Loop.Now + PauseAfterFailure);
        }

        return null;
    }

    /// <summary>Accepts all that wait at a socket that is about to be closed.</summary>
    private void TakeAll(ListenerHandle handle, DescriptorHandle socket)
    {
        while (!socket.IsClosed && _first.Count <= handle.Spec.Listen.Backlog && AcceptOne(handle, socket) is { } connection)
        {
            _first.Enqueue(connection);
        }
    }

    private void StartFirst()
    {
        var next = new List<IncomingConnection>();
        while (service.State.AcceptsConnections && next.Count < Math.Min(MostInTurn, Room) && _first.TryDequeue(out var connection))
        {
            next.Add(connection);
        }

        if (next.Count > 0)
        {
            Start(next, refused: 0);
        }
    }

    private void Start(List<IncomingConnection> connections, int refused)
    {
        foreach (var connection in connections)
        {
            _starting.Add(connection.Peer, connection);
        }

        service.Post(new ConnectionsAccepted([.. connections.Select(connection => connection.Peer)], refused));

        // The service was stopped, or its next generation is being prepared.
        foreach (var connection in connections.Where(connection => _starting.ContainsKey(connection.Peer)
            && !service.State.Workers.Any(worker => ReferenceEquals(worker.Connection, connection.Peer))))
        {
            Take(connection.Peer);
        }
    }

    private Dictionary<string, int> CountBySource() => service.State.Workers.Select(worker => worker.Connection?.Source).OfType<string>()
        .CountBy(source => source, StringComparer.Ordinal).ToDictionary(StringComparer.Ordinal);

    private void PauseUntil(TimeSpan until)
    {
        _pausedUntil = until;
        NextDeadline = until;
        Update(service.State);
    }

    /// <summary>
    /// Closes connections off the loop. The process of one may have exited already, so that this close can be the last one, and it
    /// may have told the kernel to wait for unsent data (SO_LINGER).
    /// </summary>
    private void Close(ImmutableArray<DescriptorHandle> connections)
    {
        if (connections.IsEmpty)
        {
            return;
        }

        DescriptorHandle[] lingering = [.. connections.Where(Sockets.Lingers)];
        service.Disposer.Close(Disposer.OwnerOf(service.Name), lingering);
        var others = connections.Except(lingering).ToArray();
        Task.Run(() => Array.ForEach(others, connection => connection.Dispose()));
    }
}
