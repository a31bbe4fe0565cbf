using System.Diagnostics;

namespace Supervisor.Linux.Evidence;

/// <summary>
/// How long may be waited for evidence about sockets and processes of others, who decide how much there is of it and may
/// hold up who looks: by the loop a given time before it serves, then <see cref="MostAtOnce"/>, of which a tenth of the time
/// that passes comes
/// back. The look runs on a thread of its own and ends by itself where it can; where it does not return it is left
/// behind, and what it had found so far is used. One thread at a time.
/// </summary>
public sealed class EvidenceBudget
{
    /// <summary>For all listeners together, before there is anybody to be answered.</summary>
    public static TimeSpan AtStart { get; } = TimeSpan.FromSeconds(2);

    /// <summary>For a command that somebody waits for, and that holds up nobody else.</summary>
    public static TimeSpan OfCommand { get; } = TimeSpan.FromSeconds(20);

    /// <summary>For all that is asked in a row while the daemon serves.</summary>
    public static TimeSpan MostAtOnce { get; } = TimeSpan.FromMilliseconds(60);

    private const double Share = 0.1;

    /// <summary>Looks that have not returned, beyond which no thread is left behind any more.</summary>
    private const int MostLeftBehind = 4;

    private readonly List<Task> _leftBehind = [];
    private readonly TimeProvider _time;
    private TimeSpan _most;
    private TimeSpan _left;
    private long _spent;

    /// <summary>A budget of <paramref name="limit"/> until <see cref="Serve"/>. One look gets half of what is left.</summary>
    public EvidenceBudget(TimeProvider time, TimeSpan limit)
    {
        _time = time;
        _most = _left = limit;
        _spent = time.GetTimestamp();
    }

    /// <summary>The daemon serves from now on.</summary>
    public void Serve() => _most = MostAtOnce;

    /// <summary>
    /// Runs <paramref name="look"/>, which should return before the given timestamp of <see cref="Stopwatch"/> and publish what
    /// it finds at each step, because it may not return. False if it did not return in time, or was not started.
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

        // One that ends by itself has as long again to hand over what it found.
        var until = Stopwatch.GetTimestamp() + (long)(limit.TotalSeconds * Stopwatch.Frequency);
        var task = Task.Factory.StartNew(() => look(until), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
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
    }
}
