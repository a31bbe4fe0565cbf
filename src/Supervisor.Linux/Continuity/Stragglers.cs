using Serilog;
using Supervisor.Linux.Workers;
using Supervisor.Native;

namespace Supervisor.Linux.Continuity;

/// <summary>
/// Processes of a dead daemon that its state does not know: a worker that was spawned in the instant of its death, a hook.
/// What they were for cannot be told any more, so they are asked to leave, and killed when they have not in time. Lives on
/// the loop.
/// </summary>
/// <remarks>
/// They are told by their environment, and one that was in its execve() when its daemon was killed has none until that is
/// done (create_elf_tables in fs/binfmt_elf.c comes late). So they are looked for twice: at once, and a second later.
/// </remarks>
public sealed class Stragglers : IDeadline, IDisposable
{
    private static readonly TimeSpan SecondLook = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private const int Terminate = 15;
    private const int Kill = 9;

    private readonly EventLoop _loop;
    private readonly Func<IEnumerable<int>> _look;
    private readonly ILogger _log;
    private readonly Dictionary<int, DescriptorHandle> _left = [];
    private bool _hasLookedTwice;

    /// <summary>Asks those whom <paramref name="look"/> finds to leave. It is called once more, when others may be there whom this daemon has started itself: they are not to be among those whom it finds.</summary>
    public Stragglers(EventLoop loop, Func<IEnumerable<int>> look, ILogger log)
    {
        _loop = loop;
        _look = look;
        _log = log;
        Look();
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
            Look();
            NextDeadline = _left.Count > 0 ? _loop.Now + Patience : null;
            return;
        }

        NextDeadline = null;
        foreach (var pidfd in _left.Values)
        {
            Processes.Signal(pidfd, Kill);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _loop.Remove(this);
        foreach (var (pid, pidfd) in _left.ToArray())
        {
            Processes.Signal(pidfd, Kill);
            Remove(pid, pidfd);
        }
    }

    private void Look()
    {
        foreach (var pid in _look())
        {
            if (_left.ContainsKey(pid) || Processes.OpenPidfd(pid, out _) is not { } pidfd)
            {
                continue;
            }

            _log.Warning("pid {Pid} ({Command}) is of a daemon that died, and its state does not know it: it is asked to leave", pid, ProcFile.Command(pid) ?? "?");
            Processes.Signal(pidfd, Terminate);
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
