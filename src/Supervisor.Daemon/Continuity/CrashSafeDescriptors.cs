using Serilog;
using Supervisor.Control;
using Supervisor.Core;
using Supervisor.Core.State;
using Supervisor.Linux;
using Supervisor.Linux.Continuity;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Daemon.Continuity;

/// <summary>
/// Passes descriptors to another process, which keeps them open if this process dies: systemd's descriptor store, or a holder
/// that the daemon starts. A holder that exits is started again, unless it exits soon after its start. On the loop.
/// </summary>
internal sealed class CrashSafeDescriptors : IDisposable
{
    /// <summary>A holder that exits sooner after its start is not started again.</summary>
    private static readonly TimeSpan LeastHolderLife = TimeSpan.FromSeconds(5);

    private static readonly IReadOnlyDictionary<string, DescriptorHandle?> NothingHeld = new Dictionary<string, DescriptorHandle?>();

    private readonly EventLoop _loop;
    private readonly RuntimePaths _paths;
    private readonly ILogger _log;
    private readonly HeldDescriptors _held = new();
    private readonly SystemdStore? _store;
    private FdHolder? _holder;
    private TimeSpan? _holderSince;
    private bool _isClosed;

    /// <summary>Continues with the holder of the previous daemon if there is one; otherwise starts a holder.</summary>
    /// <param name="loop">The loop.</param>
    /// <param name="paths">The runtime directory.</param>
    /// <param name="previous">The previous daemon; null without one.</param>
    /// <param name="log">The log.</param>
    public CrashSafeDescriptors(EventLoop loop, RuntimePaths paths, PreviousDaemonState? previous, ILogger log)
    {
        _loop = loop;
        _paths = paths;
        _log = log;
        _store = SystemdStore.FromEnvironment();
        var link = previous?.Descriptors.Take(DescriptorKey.FdHolder);
        if (_store is not null)
        {
            if (link is not null)
            {
                using var holder = FdHolder.Adopt(loop, link, log);
                holder.Dismiss(paths.KeeperSocket);
            }

            // Only the names are known: the previous daemon's keeper may have had the descriptors, and systemd none of them.
            _held.Use(_store, (previous?.Held ?? NothingHeld).Select(static one => KeyValuePair.Create(one.Key, (DescriptorHandle?)null)));
        }
        else if (link is not null)
        {
            Use(FdHolder.Adopt(loop, link, log), previous!.Held);
        }
        else if (Processes.CurrentPid != 1)
        {
            StartHolder();
        }
    }

    /// <summary>A holder was started that holds nothing yet.</summary>
    public event Action? Restarted;

    /// <summary>The link to the holder, for a successor in the same process; null without one.</summary>
    public DescriptorHandle? Link => _holder?.Link;

    /// <summary>The holder's process id; 0 without a holder, or if a previous daemon started it.</summary>
    public int HolderPid => _holder?.Pid ?? 0;

    /// <summary>Whether systemd holds the descriptors, and so restarts the daemon.</summary>
    public bool IsSystemd => _store is not null;

    /// <summary>
    /// What the keeper holds of some descriptors, for a successor that gets them and its link; null without a keeper. systemd does not
    /// tell what it has, so its store gets all of them again.
    /// </summary>
    public IEnumerable<string>? HeldOf(OutgoingDescriptors descriptors) => _holder is null ? null : _held.HeldOf(descriptors.All);

    /// <summary>What would be lost if the daemon died now, as text; null if nothing would.</summary>
    public string? AtRisk => Processes.CurrentPid == 1 ? null
        : _held.Holder is null ? "if the daemon dies, the workers' output and the listeners that no worker holds are lost"
        : _held.Missing.Count > 0 ? $"lost if the daemon dies: {string.Join(", ", _held.Missing.Order(StringComparer.Ordinal).Take(5))}"
        : null;

    /// <summary>Whether a successor could not find the keeper, because its socket's file was removed.</summary>
    public bool IsSocketMissing => !_isClosed && _holder is not null && Files.GetStatus(_paths.KeeperSocket, out _) is not null;

    /// <summary>
    /// Replaces the keeper if its socket's file was removed: nobody can ask the old one any more. The new one gets everything with the
    /// next checkpoint.
    /// </summary>
    public void RestoreSocket()
    {
        if (!IsSocketMissing)
        {
            return;
        }

        _holder!.Dismiss(_paths.KeeperSocket);
        _holder.Dispose();
        _holder = null;
        _held.Use(null, []);
        StartHolder();
        Restarted?.Invoke();
    }

    /// <summary>Passes a worker's descriptors to the holder at once.</summary>
    public void Put(IReadOnlyList<KeyValuePair<string, DescriptorHandle>> descriptors) => _held.Put(descriptors);

    /// <summary>Passes to the holder what an owner needs of the descriptors now.</summary>
    public void Bring(string owner, OutgoingDescriptors descriptors) =>
        _held.Bring(owner, descriptors.All.Where(pair => DescriptorKey.OutlivesProcess(pair.Key)));

    /// <summary>
    /// Passes the state to systemd, because a cleared runtime directory has no state file. The journal comes first: a state without
    /// its journal is older.
    /// </summary>
    public void BringState(DescriptorHandle state, DescriptorHandle journal) =>
        _held.Bring(DescriptorKey.State, [new(DescriptorKey.Journal, journal), new(DescriptorKey.State, state)]);

    /// <summary>All owners bring their descriptors again: see <see cref="HeldDescriptors.Disown"/>.</summary>
    public void Disown() => _held.Disown();

    /// <summary>Makes the holder close all descriptors that no owner needs: the saved state does not name them any more.</summary>
    public void DropOthers() => _held.DropOthers();

    /// <summary>The daemon exits regularly: the holder closes everything. Waits for that, but not without a bound.</summary>
    public void Close()
    {
        _isClosed = true;
        _holder?.Dismiss(_paths.KeeperSocket);
        _holder?.AwaitEnd();

        // A holder that exited or was killed has left its socket.
        Files.Unlink(_paths.KeeperSocket);
        if (_store is not null)
        {
            _held.DropAll();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _holder?.Dispose();
        _store?.Dispose();
    }

    private void StartHolder()
    {
        // Workers have this variable too. It tells a successor, or a clean-up, to which daemon the process belongs.
        List<string> environment = [$"LISTEND_BROKER={_paths.BrokerSocket}"];
        _holderSince = _loop.Now;
        if (FdHolder.TryStart(_loop, _paths.KeeperSocket, environment, _log, out var error) is { } holder)
        {
            Use(holder, []);
        }
        else
        {
            _log.Kind(MessageIds.KeeperFailed).Warning(
                "cannot start the keeper: {Reason}; if listend dies, listeners that no worker holds are lost", error);
        }
    }

    private void Use(FdHolder holder, IEnumerable<KeyValuePair<string, DescriptorHandle?>> held)
    {
        _holder = holder;
        _held.Use(holder, held);
        holder.Refused += _held.Refused;
        holder.Gone += () =>
        {
            holder.Dispose();
            _holder = null;
            _held.Use(null, []);
            if (!_isClosed)
            {
                HolderExited();
            }
        };
    }

    private void HolderExited()
    {
        if (_loop.Now - _holderSince <= LeastHolderLife)
        {
            _log.Kind(MessageIds.KeeperExited).Warning("the keeper exited again; if listend dies, listeners that no worker holds are lost");
            return;
        }

        _log.Kind(MessageIds.KeeperExited).Warning("the keeper exited: starting another");
        StartHolder();
        Restarted?.Invoke();
    }
}
