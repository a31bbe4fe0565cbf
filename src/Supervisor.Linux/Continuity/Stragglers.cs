using Serilog;
using Supervisor.Linux.Workers;
using Supervisor.Native;

namespace Supervisor.Linux.Continuity;

/// <summary>
/// Processes of a dead daemon that its state does not know: a worker that was spawned in the instant of its death, a hook.
/// What they were for cannot be told any more, so they are asked to leave, and killed when they have not in time. Lives on
/// the loop.
/// </summary>
public sealed class Stragglers : IDeadline, IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private const int Terminate = 15;
    private const int Kill = 9;

    private readonly EventLoop _loop;
    private readonly List<DescriptorHandle> _left = [];

    /// <summary>Asks them to leave.</summary>
    public Stragglers(EventLoop loop, IEnumerable<int> processes, ILogger log)
    {
        _loop = loop;
        foreach (var pid in processes)
        {
            if (Processes.OpenPidfd(pid, out _) is not { } pidfd)
            {
                continue;
            }

            log.Warning("pid {Pid} ({Command}) is of a daemon that died, and its state does not know it: it is asked to leave", pid, ProcFile.Command(pid) ?? "?");
            Processes.Signal(pidfd, Terminate);
            _left.Add(pidfd);
            loop.Watch(pidfd, () => Remove(pidfd));
        }

        NextDeadline = _left.Count > 0 ? loop.Now + Patience : null;
        loop.Add(this);
    }

    /// <inheritdoc/>
    public TimeSpan? NextDeadline { get; private set; }

    /// <inheritdoc/>
    public void PassDeadline()
    {
        NextDeadline = null;
        foreach (var pidfd in _left)
        {
            Processes.Signal(pidfd, Kill);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _loop.Remove(this);
        foreach (var pidfd in _left.ToArray())
        {
            Processes.Signal(pidfd, Kill);
            Remove(pidfd);
        }
    }

    private void Remove(DescriptorHandle pidfd)
    {
        _loop.Unwatch(pidfd);
        pidfd.Dispose();
        _left.Remove(pidfd);
    }
}
