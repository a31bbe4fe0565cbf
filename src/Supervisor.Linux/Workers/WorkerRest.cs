using Supervisor.Core.State;
using Supervisor.Linux.Kernel;

namespace Supervisor.Linux.Workers;

/// <summary>
/// The processes of a worker other than its main process: they get the stop signal, and after the main process has exited they are
/// waited for by their pidfds. Lives on the loop; <see cref="Sweeper"/> finds them.
/// </summary>
internal sealed class WorkerRest
{
    /// <summary>The most processes in the state of a successor.</summary>
    private const int MostSaved = 64;

    private bool _hasTold;
    private List<RemainingProcess> _watched = [];
    private List<(int Pid, ulong StartTime)> _found = [];

    /// <summary>All that were found so far. Only the sweeper's thread uses it once a sweep has begun.</summary>
    public HashSet<(int Pid, ulong StartTime)> Known { get; } = [];

    /// <summary>Those that got the stop signal. Only the sweeper's thread uses it.</summary>
    public HashSet<(int Pid, ulong StartTime)> Signalled { get; } = [];

    /// <summary>Whether the processes got the stop signal, as far as <c>stop_mode</c> says so.</summary>
    public bool IsTold { get; private set; }

    /// <summary>Counts the changes of <see cref="Saved"/> and <see cref="IsTold"/>.</summary>
    public int Version { get; private set; }

    /// <summary>The processes that were found last.</summary>
    public IReadOnlyList<(int Pid, ulong StartTime)> Found => _found;

    /// <summary>The same in the manifest.</summary>
    public IEnumerable<ProcessEntry> Saved => _found.Take(MostSaved).Select(one => new ProcessEntry(one.Pid, one.StartTime));

    /// <summary>Continues with a predecessor's.</summary>
    public void Restore(WorkerEntry entry)
    {
        IsTold = entry.IsRestTold;
        _found = [.. entry.Rest.Select(one => (one.Pid, one.StartTime))];
        Known.UnionWith(_found);
    }

    /// <summary>The signal for a sweep that follows: none for processes that a predecessor has told.</summary>
    public int Tell(int signal)
    {
        var isToldByPredecessor = IsTold && !_hasTold;
        IsTold = true;
        Version++;
        _hasTold |= !isToldByPredecessor;
        return isToldByPredecessor ? 0 : signal;
    }

    /// <summary>Remembers the processes without watching them, because the main process lives.</summary>
    public void Note(IEnumerable<RemainingProcess> rest)
    {
        _found = [.. rest.Select(one => (one.Pid, one.StartTime))];
        Version++;
    }

    /// <summary>Calls <paramref name="onExited"/> when all of these have exited; there may be others by then.</summary>
    public void Watch(EventLoop loop, IReadOnlyList<RemainingProcess> rest, Action onExited)
    {
        Note(rest);
        _watched = [.. rest];
        foreach (var one in rest)
        {
            loop.Watch(one.Pidfd, () =>
            {
                if (!_watched.Remove(one))
                {
                    return;
                }

                loop.Unwatch(one.Pidfd);
                one.Pidfd.Dispose();
                _found.Remove((one.Pid, one.StartTime));
                Version++;
                if (_watched.Count == 0)
                {
                    onExited();
                }
            });
        }
    }

    /// <summary>Stops watching.</summary>
    public void Unwatch(EventLoop loop)
    {
        foreach (var one in _watched)
        {
            loop.Unwatch(one.Pidfd);
            one.Pidfd.Dispose();
        }

        _watched = [];
    }
}
