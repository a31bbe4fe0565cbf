using System.Threading.Tasks.Sources;

namespace Supervisor.Load;

/// <summary>
/// A sequence of requests, each at its time. The lane waits in <see cref="UntilAsync"/>. The pacer's thread resumes it by
/// <see cref="Release"/> and runs it to its first real wait.
/// </summary>
internal sealed class Lane : IValueTaskSource<long>
{
    private ManualResetValueTaskSourceCore<long> _core;
    private long _due;
    private int _waits;

    /// <summary>Whether the lane has no request in progress.</summary>
    public bool Waits => Volatile.Read(ref _waits) == 1;

    /// <summary>
    /// Waits for a time (of Stopwatch). Returns the time at which the request is due, which is later after a pause of the run.
    /// </summary>
    public ValueTask<long> UntilAsync(long due)
    {
        _core.Reset();
        _due = due;
        Volatile.Write(ref _waits, 1);
        return new ValueTask<long>(this, _core.Version);
    }

    /// <summary>
    /// Resumes the lane if it waits and its time has come. <paramref name="notBefore"/> is the earliest time from which a
    /// delay counts.
    /// </summary>
    public void Release(long now, long notBefore)
    {
        if (Waits && Math.Max(_due, notBefore) is var due && due <= now)
        {
            Volatile.Write(ref _waits, 0);
            _core.SetResult(due);
        }
    }

    /// <summary>Resumes a waiting lane at once, because the run has ended.</summary>
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
