using Supervisor.Core;
using Supervisor.Core.Services;
using Supervisor.Linux;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Reload;

/// <summary>
/// Opens and closes shards after a reload has changed their number. A new shard gets connections when a worker serves it. A
/// retiring shard is closed when no worker has it and its queue is empty. On the loop.
/// </summary>
/// <remarks>
/// A retiring shard passes through four states. The kernel no longer selects it (<see cref="ShardGroup.Shrink"/>). Its workers
/// serve its queue, and their stop signal waits for that (<see cref="LastIn"/>). Only the daemon holds it. It is closed.
/// If its workers exit before its queue is empty, the next workers of its slot get it (<see cref="ShardCoverage.Cover"/>).
/// </remarks>
internal sealed class ShardScaling : IDeadline
{
    /// <summary>
    /// How long a shard may still get connections after the kernel has stopped selecting it: those whose handshake had begun.
    /// The kernel's first retransmission timeout of a handshake (TCP_TIMEOUT_INIT, include/net/tcp.h).
    /// </summary>
    public static readonly TimeSpan Settle = TimeSpan.FromSeconds(1);

    private readonly ReloadContext _daemon;
    private bool _isPosted;

    public ShardScaling(ReloadContext daemon)
    {
        _daemon = daemon;
        daemon.Loop.Add(this);
    }

    /// <inheritdoc/>
    public TimeSpan? NextDeadline { get; private set; }

    /// <inheritdoc/>
    public void PassDeadline()
    {
        NextDeadline = null;
        Advance();
    }

    /// <summary>A service of these listeners has changed, or their shards.</summary>
    public void ServiceChanged(IEnumerable<ListenerHandle> listeners)
    {
        if (!_isPosted && listeners.Any(handle => handle.IsReshaping))
        {
            // Not during a transition, whose state is incomplete.
            _isPosted = true;
            _daemon.Loop.Post(() =>
            {
                _isPosted = false;
                Advance();
            });
        }
    }

    /// <summary>The retiring shards on which only this worker accepts.</summary>
    public IReadOnlyList<ListenerSocket> LastIn(ServiceRunner runner, WorkerState worker)
    {
        List<ListenerSocket>? last = null;
        foreach (var handle in runner.Generations.Of(worker.Generation).Listeners)
        {
            foreach (var socket in handle.Leaving)
            {
                if (runner.Shards.Holds(worker.Id, socket) && !_daemon.Services.AllUsersOf(handle).Any(other => other.State.Workers.Any(
                    one => one.Phase == WorkerPhase.Ready && !(other == runner && one.Id == worker.Id)
                        && other.Shards.Holds(one.Id, socket))))
                {
                    (last ??= []).Add(socket);
                }
            }
        }

        return last ?? (IReadOnlyList<ListenerSocket>)[];
    }

    private void Advance()
    {
        if (_daemon.Lifecycle.IsShuttingDown)
        {
            return;
        }

        foreach (var handle in _daemon.Listeners.Handles.Where(handle => handle.IsReshaping).ToArray())
        {
            var users = _daemon.Services.AllUsersOf(handle);
            var served = handle.Sockets.Where(socket => !socket.IsChosen && IsServed(users, socket)).ToArray();
            if (served.Length > 0)
            {
                _daemon.Factory.Shards.Choose(handle, served);
            }

            foreach (var socket in handle.Leaving.ToArray())
            {
                CloseIfUnused(handle, socket, users);
            }
        }
    }

    /// <summary>Whether a worker accepts on the shard; true also if no service is started, because then no shard is served.</summary>
    private static bool IsServed(IReadOnlyList<ServiceRunner> users, ListenerSocket socket) =>
        !users.Any(runner => runner.State.IsStarted)
        || users.Any(runner => runner.State.Workers.Any(
            worker => worker.Phase == WorkerPhase.Ready && runner.Shards.Holds(worker.Id, socket)));

    private void CloseIfUnused(ListenerHandle handle, ListenerSocket socket, IReadOnlyList<ServiceRunner> users)
    {
        if (users.Any(runner => runner.State.Workers.Any(worker => runner.Shards.Holds(worker.Id, socket))))
        {
            return;
        }

        if (socket.HasWaiting)
        {
            // Its workers have exited. Without a started service the connections wait for the next start.
            users.FirstOrDefault(runner => runner.State.IsStarted)?.Shards.Cover();
            return;
        }

        var settled = socket.LeavingSince!.Value + Settle;
        if (_daemon.Loop.Now < settled)
        {
            NextDeadline = NextDeadline is { } sooner && sooner < settled ? sooner : settled;
            return;
        }

        var inode = socket.Inode;
        _daemon.Factory.Shards.CloseLeaving(handle, socket);
        _daemon.Log.Kind(MessageIds.ListenerShardClosed).Listener(handle.Name).Information(
            "listener {Listener}: shard {Shard} (inode {Inode}) is closed, its queue was empty", handle.Name, socket.Shard, inode);
        _daemon.StateChanged();
    }
}
