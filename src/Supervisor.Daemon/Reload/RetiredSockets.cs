using Serilog;
using Supervisor.Core;
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
    IReadOnlyCollection<ServiceRunner> services, ListenerTable listeners, ListenerFactory factory, ILogger log)
{
    private readonly List<RetiredSocket> _retired = [];

    /// <summary>Whether there are no retired sockets.</summary>
    public bool IsEmpty => _retired.Count == 0;

    /// <summary>The handles of the retired sockets.</summary>
    public IEnumerable<ListenerHandle> Handles => _retired.Select(retired => retired.Former);

    /// <summary>Adds a socket and takes ownership; another socket may replace it.</summary>
    public void Add(ListenerHandle former, ListenerHandle? successor, ISocketBridge? bridge) =>
        _retired.Add(new RetiredSocket(former, successor, bridge));

    /// <summary>Returns the choice between two sockets that both have workers to the kernel.</summary>
    public void Share()
    {
        foreach (var retired in _retired)
        {
            if (retired is { Bridge: { } bridge, Successor: { } successor } && IsServed(successor) && IsServed(retired.Former))
            {
                bridge.Share();
            }
        }
    }

    /// <summary>The listeners with a retired socket or its successor that only this worker serves.</summary>
    public IReadOnlyList<ListenerHandle> LastIn(ServiceRunner runner, WorkerState worker) =>
        [.. runner.Generations.Of(worker.Generation).Listeners
            .Where(handle => _retired.Exists(retired => retired.Former == handle || retired.Successor == handle) && !IsServed(handle))];

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
    public void Sweep(Predicate<ServiceRunner> isRemoved)
    {
        // Sockets of intermediate reloads first, because a roll-back passes them.
        foreach (var retired in _retired.ToArray())
        {
            if (!services.Any(runner => runner.Generations.Uses(retired.Former)))
            {
                Close(retired);
            }
        }

        foreach (var retired in _retired.ToArray())
        {
            if (services.FirstOrDefault(
                    runner => runner.Generations.Next.Listeners.Contains(retired.Former) && !isRemoved(runner)) is { } again
                && (retired.Successor is null || !services.Any(runner => runner.Generations.Uses(retired.Successor))))
            {
                Restore(retired, again);
            }
        }
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
    }

    /// <summary>After a roll-back: the listener uses the former socket again.</summary>
    private void Restore(RetiredSocket retired, ServiceRunner service)
    {
        var (former, successor, bridge) = retired;
        _retired.Remove(retired);
        listeners.Replace(handle => handle == successor || handle.Name == former.Name, former);
        bridge?.Steer(former);
        if (successor is not null)
        {
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
        _retired.Remove(retired);
        if (successor is not null)
        {
            bridge?.Steer(successor);
            for (var i = 0; i < _retired.Count; i++)
            {
                if (_retired[i].Successor == former)
                {
                    _retired[i] = new RetiredSocket(_retired[i].Former, successor, _retired[i].Bridge?.Onto(successor));
                }
            }
        }

        factory.Steerer.Retire(former);
        var heir = listeners.Handles.FirstOrDefault(other => other.HasFileOf(former));
        factory.Replacer.Retire(former, removePath: former.Origin == HandleOrigin.Created, heir);
        if (successor is not null)
        {
            bridge?.End(successor);
            factory.Replacer.EndBridge(successor);
        }

        // A listener may have been bridged to the socket without being its successor.
        foreach (var handle in listeners.Handles.Where(handle => !_retired.Exists(other => other.Successor == handle)))
        {
            factory.Replacer.EndBridge(handle);
        }

        log.Kind(MessageIds.ListenerRetired).Listener(former.Name).Information(
            "listener {Listener}: its former socket {Address} (inode {Inode}) is closed", former.Name, former.Effective?.ToString(), inode);
    }

    /// <summary>Whether a worker that has no stop signal accepts on the socket.</summary>
    private bool IsServed(ListenerHandle handle) =>
        services.Any(runner => runner.State.Workers.Any(
            worker => worker.Phase == WorkerPhase.Ready && runner.Generations.Of(worker.Generation).Listeners.Contains(handle)));
}
