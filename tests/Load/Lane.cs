using System.Threading.Tasks.Sources;

namespace Supervisor.Load;

/// <summary>
/// One sequence of requests, one after the other, each at its time. The lane waits in <see cref="UntilAsync"/>; the
/// pacer's thread sets it going by <see cref="Release"/> and runs it to its first real wait.
/// </summary>
internal sealed class Lane : IValueTaskSource<long>
{
    private ManualResetValueTaskSourceCore<long> _core;
    private long _due;
    private int _waits;

    /// <summary>Whether the lane has nothing under way.</summary>
    public bool Waits => Volatile.Read(ref _waits) == 1;

    /// <summary>
    /// Waits for a moment (of Stopwatch). Returns the moment at which the request is due: that one, unless the run was paused.
    /// </summary>
    public ValueTask<long> UntilAsync(long due)
    {
        _core.Reset();
        _due = due;
        Volatile.Write(ref _waits, 1);
        return new ValueTask<long>(this, _core.Version);
    }

    /// <summary>
    /// Lets the lane go on if it waits and its moment has come. <paramref name="notBefore"/> is the earliest moment from which a
    /// delay may be counted.
    /// </summary>
    public void Release(long now, long notBefore)
    {
        if (Waits && Math.Max(_due, notBefore) is var due && due <= now)
        {
            Volatile.Write(ref _waits, 0);
            _core.SetResult(due);
        }
    }

    /// <summary>Lets the lane go on at once, if it waits: the run is over.</summary>
    public void ReleaseForGood()
    {
        if (Waits)
        {
            Volatile.Write(ref _waits, 0);
            _core.SetResult(_due);
        }
    }

    /// <inheritdoc />
    public long GetResult(short token) => _core.GetResult(token);

    /// <inheritdoc />
    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

    /// <inheritdoc />
    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
