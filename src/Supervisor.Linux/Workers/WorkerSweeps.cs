using System.Collections.Immutable;
using Supervisor.Core;

namespace Supervisor.Linux.Workers;

/// <summary>What the sweeper has to know of a worker to find, tell and kill its processes. Lives on the loop.</summary>
internal sealed class WorkerSweeps(ServiceContext service)
{
    /// <summary>The listeners' sockets by inode number, and a query about their connections, as they are in this turn.</summary>
    private (Dictionary<ulong, string> Names, AcceptedConnections Connections)? _listeners;

    /// <summary>A sweep of the worker's processes.</summary>
    public Sweep Of(int workerId, WorkerProcess process, int? stopSignal, int? onlyPid = null, ImmutableArray<int>? leaders = null,
        Action<IReadOnlyList<RemainingProcess>>? onRest = null, Action<bool>? onDone = null) => new()
        {
            StopSignal = stopSignal,
            OnlyPid = onlyPid,
            IsAnnouncement = onDone is null,
            Cgroup = process.Cgroup?.Path,
            Sessions = process.Main.Sessions(),
            Leaders = leaders ?? [process.Session, process.Pid],
            Roots = [.. process.Roots],
            Worker = process.SweepFacts,
            Process = process,
            Reaper = process.Main.Reaper,
            IsLeaderDead = process is { IsEnding: true, Main.IsForeign: false, Main.IsHandedOver: false, Main.First: null },
            IsLast = !service.State.IsStarted && service.Processes.Values.All(other => other.IsEnding),
            Listeners = ListenersNow().Names,
            Known = process.Rest.Known,
            Signalled = process.Rest.Signalled,
            Connections = stopSignal > 0 ? ListenersNow().Connections : null,
            OnCut = cut => service.Drains.Cut(workerId, stopSignal ?? Signals.Kill, cut),
            OnStray = (stray, command, listener, byToken) => service.Log.StrayKilled(process.Pid, stray, command, listener, byToken),
            OnRefused = (pid, error) => service.Ending.Refused(workerId, pid, stopSignal ?? Signals.Kill, error),
            OnRest = onRest,
            OnDone = onDone,
        };

    private (Dictionary<ulong, string> Names, AcceptedConnections Connections) ListenersNow()
    {
        if (_listeners is { } known)
        {
            return known;
        }

        service.Loop.AtTurnEnd(() => _listeners = null);
        var now = (ListenerNames(), new AcceptedConnections(service.Generations.AllListeners));
        _listeners = now;
        return now;
    }

    private Dictionary<ulong, string> ListenerNames()
    {
        var names = new Dictionary<ulong, string>();
        foreach (var handle in service.Generations.AllListeners)
        {
            foreach (var socket in handle.Sockets.Concat(handle.Leaving))
            {
                names[socket.Inode] = handle.Name;
            }
        }

        return names;
    }
}
