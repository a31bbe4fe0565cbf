using System.Diagnostics;
using Supervisor.Native;

namespace Supervisor.Linux.Evidence;

/// <summary>
/// Limits the time spent on evidence about other users' sockets and processes, which can be numerous and slow. Before the
/// daemon serves, the loop may wait a given time. Afterwards it may wait <see cref="MostAtOnce"/>, and a tenth of the elapsed
/// time is added back. The search runs on a separate thread, one at a time. A search that does not return in time is abandoned,
/// and what it found so far is used.
/// </summary>
public sealed class EvidenceBudget
{
    /// <summary>For all listeners together, before there are clients.</summary>
    public static TimeSpan AtStart { get; } = TimeSpan.FromSeconds(2);

    /// <summary>For a command, which delays only its user.</summary>
    public static TimeSpan OfCommand { get; } = TimeSpan.FromSeconds(20);

    /// <summary>For all searches in a row while the daemon serves.</summary>
    public static TimeSpan MostAtOnce { get; } = TimeSpan.FromMilliseconds(60);

    private const double Share = 0.1;

    /// <summary>Abandoned searches that have not returned; beyond this number no search is started.</summary>
    private const int MostLeftBehind = 4;

    private readonly List<Task> _leftBehind = [];
    private readonly TimeProvider _time;
    private TimeSpan _most;
    private TimeSpan _left;
    private long _spent;

    /// <summary>A budget of <paramref name="limit"/> until <see cref="Serve"/>. One search gets half of the rest.</summary>
    public EvidenceBudget(TimeProvider time, TimeSpan limit)
    {
        _time = time;
        _most = _left = limit;
        _spent = time.GetTimestamp();
    }

    /// <summary>Switches to the limit for a daemon that serves.</summary>
    public void Serve() => _most = MostAtOnce;

    /// <summary>
    /// Runs <paramref name="look"/>, which should return before the given timestamp of <see cref="Stopwatch"/> and publish its
    /// findings at each step, because it may not return. False if it did not return in time, or was not started.
    /// </summary>
    public bool TryRun(Action<long> look)
    {
        _left += _time.GetElapsedTime(_spent) * Share;
        _left = _left > _most ? _most : _left;
        _spent = _time.GetTimestamp();
        _leftBehind.RemoveAll(one => one.IsCompleted);
        var limit = _left / 2;
        if (limit < TimeSpan.FromMilliseconds(1) || _leftBehind.Count >= MostLeftBehind)
        {
            return false;
        }

        // A search that ends in time gets as long again to publish what it found.
        var until = Stopwatch.GetTimestamp() + (long)(limit.TotalSeconds * Stopwatch.Frequency);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (BackgroundThread.TryStart("evidence", 0, Run) is null)
        {
            return false;
        }

        var task = ended.Task;
        var isDone = Task.WaitAny([task], limit * 1.5) == 0;
        _left -= _time.GetElapsedTime(_spent);
        _spent = _time.GetTimestamp();
        if (!isDone)
        {
            _leftBehind.Add(task);
            return false;
        }

        task.GetAwaiter().GetResult();
        return true;

        void Run()
        {
            try
            {
                look(until);
                ended.SetResult();
            }
            catch (Exception exception)
            {
                ended.SetException(exception);
            }
        }
    }
}
