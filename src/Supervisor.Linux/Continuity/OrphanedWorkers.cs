using Serilog;
using Supervisor.Core;
using Supervisor.Linux.Kernel;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Continuity;

/// <summary>
/// Processes of a dead daemon that are not in its state: a hook, or a worker that was spawned when the daemon died. Their purpose
/// is unknown, so they get SIGTERM, and SIGKILL if they have not exited in time. On the loop.
/// </summary>
/// <remarks>
/// They are recognised by user and token (<see cref="WorkerRecovery"/>). A process that was in execve() when its daemon was killed
/// has no environment until execve() is done (create_elf_tables in fs/binfmt_elf.c comes late). So another thread searches
/// twice: at once, and a second later.
/// </remarks>
public sealed class OrphanedWorkers : IDeadline, IDisposable
{
    private static readonly TimeSpan SecondLook = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly EventLoop _loop;
    private readonly WorkerRecovery _survivors;
    private readonly Func<IReadOnlyList<WorkerRecovery.Found>, IEnumerable<WorkerRecovery.Found>> _unknown;
    private readonly ILogger _log;
    private readonly Dictionary<int, DescriptorHandle> _left = [];
    private bool _hasLookedTwice;
    private bool _isDisposed;

    /// <summary>Stops the processes that <paramref name="unknown"/> selects, on the loop, from those that were found.</summary>
    public OrphanedWorkers(
        EventLoop loop,
        WorkerRecovery survivors,
        Func<IReadOnlyList<WorkerRecovery.Found>, IEnumerable<WorkerRecovery.Found>> unknown,
        ILogger log)
    {
        _loop = loop;
        _survivors = survivors;
        _unknown = unknown;
        _log = log;
        Search();
        NextDeadline = loop.Now + SecondLook;
        loop.Add(this);
    }

    /// <inheritdoc/>
    public TimeSpan? NextDeadline { get; private set; }

    /// <inheritdoc/>
    public void PassDeadline()
    {
        if (!_hasLookedTwice)
        {
            _hasLookedTwice = true;
            Search();
            NextDeadline = _loop.Now + Patience;
            return;
        }

        NextDeadline = null;
        foreach (var pidfd in _left.Values)
        {
            Processes.Signal(pidfd, SIGKILL);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _isDisposed = true;
        _loop.Remove(this);
        foreach (var (pid, pidfd) in _left.ToArray())
        {
            Processes.Signal(pidfd, SIGKILL);
            Remove(pid, pidfd);
        }
    }

    private void Search() => Task.Run(_survivors.FindAsync).ContinueWith(
        task => _loop.Post(() => Take(task.IsCompletedSuccessfully ? task.Result : [])),
        TaskScheduler.Default);

    private void Take(IReadOnlyList<WorkerRecovery.Found> found)
    {
        var unknown = _isDisposed ? [] : _unknown(found).ToHashSet();
        foreach (var one in found)
        {
            var (pid, pidfd) = (one.Pid, one.Pidfd);
            if (_left.ContainsKey(pid) || !unknown.Contains(one))
            {
                pidfd.Dispose();
                continue;
            }

            _log.Kind(MessageIds.OrphanStopped).Warning(
                "pid {Pid} ({Command}): orphan of a daemon that died, missing from the saved state: "
                + "sending SIGTERM, SIGKILL follows in {Seconds}s",
                pid, ProcFile.Command(pid) ?? "?", Patience.TotalSeconds);
            Processes.Signal(pidfd, SIGTERM);
            _left.Add(pid, pidfd);
            _loop.Watch(pidfd, () => Remove(pid, pidfd));
        }
    }

    private void Remove(int pid, DescriptorHandle pidfd)
    {
        _loop.Unwatch(pidfd);
        pidfd.Dispose();
        _left.Remove(pid);
    }
}
