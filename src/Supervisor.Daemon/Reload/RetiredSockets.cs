using System.Runtime.InteropServices;
using Serilog;
using Supervisor.Core;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Services;
using Supervisor.Daemon.Model;
using Supervisor.Linux;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Reload;

/// <summary>
/// Sockets of former configurations. A socket stays open until no worker has it or may get it. If the roll-out onto its
/// successor is rolled back, the listener uses it again. On the loop.
/// </summary>
/// <param name="services">All services, also those that are no longer configured.</param>
/// <param name="listeners">The listeners.</param>
/// <param name="factory">Closes sockets.</param>
/// <param name="log">The log.</param>
internal sealed class RetiredSockets(
    ServiceTable services, ListenerTable listeners, ListenerFactory factory, ILogger log)
{
    private readonly List<RetiredSocket> _retired = [];

    /// <summary>For how many retired sockets a listener is the successor.</summary>
    private readonly Dictionary<ListenerHandle, int> _successors = [];
    private readonly HashSet<ListenerHandle> _formers = [];

    /// <summary>Whether there are no retired sockets.</summary>
    public bool IsEmpty => _retired.Count == 0;

    /// <summary>The handles of the retired sockets.</summary>
    public IEnumerable<ListenerHandle> Handles => _retired.Select(retired => retired.Former);

    /// <summary>Adds a socket and takes ownership; another socket may replace it.</summary>
    public void Add(ListenerHandle former, ListenerHandle? successor, ISocketBridge? bridge)
    {
        _retired.Add(new RetiredSocket(former, successor, bridge));
        _formers.Add(former);
        CountSuccessor(successor, 1);
    }

    /// <summary>Whether a socket stays open when it is replaced: a worker has it, or is started for a connection that waits.</summary>
    public bool StaysOpen(ListenerHandle handle) =>
        services.AllUsersOf(handle).Any(runner => !runner.State.HasStopped || runner.IsDemanded);

    /// <summary>A service has changed: returns the choice between two of its sockets that both have workers to the kernel.</summary>
    public void Share(ServiceRunner changed)
    {
        if (!_retired.Exists(retired => retired.Bridge is not null))
        {
            return;
        }

        var own = changed.Generations.AllListeners.ToHashSet();
        foreach (var retired in _retired)
        {
            if (retired is { Bridge: { } bridge, Successor: { } successor, Former: var former }
                && (own.Contains(successor) || own.Contains(former)) && IsServed(successor) && IsServed(former))
            {
                bridge.Share();
            }
        }
    }

    /// <summary>The listeners with a retired socket or its successor that only this worker serves.</summary>
    public IReadOnlyList<ListenerHandle> LastIn(ServiceRunner runner, WorkerState worker) =>
        [.. runner.Generations.Of(worker.Generation).Listeners
            .Where(handle => (_formers.Contains(handle) || _successors.ContainsKey(handle)) && !IsServed(handle))];

    /// <summary>Directs new connections to the other socket of each pair.</summary>
    public void SteerAwayFrom(IReadOnlyList<ListenerHandle> handles)
    {
        foreach (var retired in _retired.Where(retired => retired.Bridge is not null))
        {
            if (handles.Contains(retired.Former))
            {
                retired.Bridge!.Steer(retired.Successor!);
            }
            else if (handles.Contains(retired.Successor!))
            {
                retired.Bridge!.Steer(retired.Former);
            }
        }
    }

    /// <summary>Closes the sockets that no worker has or may get, and restores those whose successor no worker uses.</summary>
    /// <param name="isRemoved">Whether a service is no longer configured.</param>
    /// <returns>Whether a listener has another socket now.</returns>
    public bool Sweep(Predicate<ServiceRunner> isRemoved)
    {
        // Sockets of intermediate reloads first, because a roll-back passes them.
        HashSet<uint>? ports = null;
        for (var i = 0; i < _retired.Count;)
        {
            if (services.AllUsersOf(_retired[i].Former).Count == 0)
            {
                var closed = _retired[i];
                Close(closed);
                if (closed.Former.Effective?.Port is { } port and > 0)
                {
                    (ports ??= []).Add(port);
                }
            }
            else
            {
                i++;
            }
        }

        if (ports is not null)
        {
            EndOtherBridges(ports);
        }

        var before = _retired.Count;
        for (var i = 0; i < _retired.Count;)
        {
            if (WhoReturnsTo(_retired[i], isRemoved) is { } again)
            {
                Restore(_retired[i], again);
            }
            else
            {
                i++;
            }
        }

        return _retired.Count < before;
    }

    /// <summary>The service that has workers with the former socket again while none has its successor; null if there is none.</summary>
    private ServiceRunner? WhoReturnsTo(RetiredSocket retired, Predicate<ServiceRunner> isRemoved)
    {
        if (retired.Successor is { } successor && services.AllUsersOf(successor).Any(user => !user.State.HasStopped))
        {
            return null;
        }

        foreach (var runner in services.AllUsersOf(retired.Former))
        {
            if (runner.Generations.Next.Listeners.Contains(retired.Former) && !isRemoved(runner))
            {
                return runner;
            }
        }

        return null;
    }

    /// <summary>Closes all retired sockets when the daemon stops.</summary>
    public void Close()
    {
        foreach (var retired in _retired)
        {
            factory.Replacer.Retire(retired.Former, removePath: retired.Former.Origin == HandleOrigin.Created, heir: null);
            retired.Bridge?.End(retired.Successor!);
        }

        _retired.Clear();
        _formers.Clear();
        _successors.Clear();
    }

    private void Remove(RetiredSocket retired)
    {
        _retired.Remove(retired);
        _formers.Remove(retired.Former);
        CountSuccessor(retired.Successor, -1);
    }

    private void CountSuccessor(ListenerHandle? successor, int more)
    {
        if (successor is not null && (CollectionsMarshal.GetValueRefOrAddDefault(_successors, successor, out _) += more) == 0)
        {
            _successors.Remove(successor);
        }
    }

    /// <summary>After a roll-back: the listener uses the former socket again.</summary>
    private void Restore(RetiredSocket retired, ServiceRunner service)
    {
        var (former, successor, bridge) = retired;
        Remove(retired);
        listeners.Replace(handle => handle == successor || handle.Name == former.Name, former);
        bridge?.Steer(former);
        if (successor is not null)
        {
            foreach (var stopped in services.AllUsersOf(successor).ToArray())
            {
                stopped.Requests.Follow(successor, former);
            }

            factory.Steerer.Retire(successor);
            factory.Replacer.Retire(successor, removePath: true, former);
        }

        bridge?.End(former);
        factory.Replacer.EndBridge(former);
        log.Kind(MessageIds.ListenerReverted).Listener(former.Name).Service(service.Name).Warning(
            "listener {Listener}: keeps its former socket {Address} (inode {Inode}), because service {Service} was rolled back",
            former.Name, former.Effective?.ToString(), former.Inode, service.Name);
    }

    private void Close(RetiredSocket retired)
    {
        var (former, successor, bridge) = retired;
        var inode = former.Inode;
        Remove(retired);
        if (successor is not null)
        {
            bridge?.Steer(successor);
            for (var i = 0; i < _retired.Count; i++)
            {
                if (_retired[i].Successor == former)
                {
                    _retired[i] = new RetiredSocket(_retired[i].Former, successor, _retired[i].Bridge?.Onto(successor));
                    CountSuccessor(former, -1);
                    CountSuccessor(successor, 1);
                }
            }
        }

        factory.Steerer.Retire(former);
        var heir = former.Spec.Address.Kind.IsSocket() ? null : listeners.Handles.FirstOrDefault(other => other.HasFileOf(former));
        factory.Replacer.Retire(former, removePath: former.Origin == HandleOrigin.Created, heir);
        if (successor is not null)
        {
            bridge?.End(successor);
            factory.Replacer.EndBridge(successor);
        }

        log.Kind(MessageIds.ListenerRetired).Listener(former.Name).Information(
            "listener {Listener}: its former socket {Address} (inode {Inode}) is closed", former.Name, former.Effective?.ToString(), inode);
    }

    /// <summary>A listener may have been bridged to a closed socket of its port without being its successor.</summary>
    private void EndOtherBridges(HashSet<uint> ports)
    {
        foreach (var handle in listeners.Handles)
        {
            if (handle.Effective?.Port is { } port && ports.Contains(port) && !_successors.ContainsKey(handle))
            {
                factory.Replacer.EndBridge(handle);
            }
        }
    }

    /// <summary>Whether a worker that has no stop signal accepts on the socket.</summary>
    private bool IsServed(ListenerHandle handle) =>
        services.AllUsersOf(handle).Any(runner => runner.State.Workers.Any(
            worker => worker.Phase == WorkerPhase.Ready && runner.Generations.Of(worker.Generation).Listeners.Contains(handle)));
}
