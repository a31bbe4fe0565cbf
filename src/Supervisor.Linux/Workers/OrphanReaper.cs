using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>
/// Reaps what the workers leave behind. The daemon is a subreaper (prctl(2)), so an orphan of a worker becomes its child:
/// that is how a daemon that forks twice stays in the family, and why somebody has to reap those that end.
/// </summary>
/// <remarks>
/// SIGCHLD is no use here: the runtime's handler reaps everything, and a blocked signal needs every thread's consent. So a
/// thread of its own waits in waitid() for any child to have ended, looks without reaping, tells the loop, and waits for
/// its turn: it costs nothing at rest. The loop reaps who is not a worker; workers are left to their pidfds.
/// </remarks>
public sealed class OrphanReaper : IDisposable
{
    private const int StackBytes = 128 * 1024;

    private readonly EventLoop _loop;
    private readonly HashSet<int> _children = [];

    /// <summary>Not a SemaphoreSlim: that one spins before it sleeps, on the processor that a dead worker's replacement starts on.</summary>
    private readonly AutoResetEvent _turn = new(false);

    private Thread? _thread;
    private bool _isWatching;
    private bool _isBehindChild;

    /// <summary>Makes the daemon a subreaper.</summary>
    public OrphanReaper(EventLoop loop)
    {
        _loop = loop;
        Processes.BecomeSubreaper();
    }

    /// <summary>On the loop, after orphans were reaped.</summary>
    public event Action? Reaped;

    /// <summary>Whether that process was spawned by the daemon itself and has not been reaped.</summary>
    public bool IsOwn(int pid) => _children.Contains(pid);

    /// <summary>A process was spawned, which whoever did so reaps.</summary>
    public void Add(int pid)
    {
        _children.Add(pid);
        if (_thread is null)
        {
            _thread = new Thread(Watch, StackBytes) { IsBackground = true, Name = "orphans" };
            _isWatching = true;
            _thread.Start();
        }
        else if (!_isWatching && !_isBehindChild)
        {
            Continue();
        }
    }

    /// <summary>It was reaped, or is to be reaped as an orphan.</summary>
    public void Remove(int pid)
    {
        _children.Remove(pid);
        if (_isBehindChild)
        {
            _isBehindChild = false;
            Look(hasChildren: true);
        }
    }

    /// <summary>SIGKILL to the orphans of workers that are left when the daemon leaves; each is told with its command.</summary>
    public void KillLeft(Action<int, string?> onKilled) => Sweep.Kill(() => ProcFile.OwnChildren()
        .Where(pid => !IsOwn(pid) && ProcFile.HasVariableNamed(pid, "LISTEND_SERVICE")), pid => onKilled(pid, ProcFile.Command(pid)));

    /// <inheritdoc/>
    public void Dispose()
    {
        // The thread waits for children as long as there are any; it ends with the process.
        _loop.Post(static () => { });
    }

    private void Watch()
    {
        while (true)
        {
            var hasChildren = Processes.WaitAnyExited();
            _loop.Post(() =>
            {
                _isWatching = false;
                Look(hasChildren);
            });
            _turn.WaitOne();
        }
    }

    private void Look(bool hasChildren)
    {
        var reaped = false;
        while (Processes.PeekAnyExited() is > 0 and var pid)
        {
            if (_children.Contains(pid))
            {
                // Who stands behind it is seen when it is gone.
                _isBehindChild = true;
                break;
            }

            Processes.Reap(pid);
            reaped = true;
        }

        if (!_isBehindChild && (hasChildren || _children.Count > 0))
        {
            Continue();
        }

        if (reaped)
        {
            Reaped?.Invoke();
        }
    }

    private void Continue()
    {
        _isWatching = true;
        _turn.Set();
    }
}
