namespace Supervisor.Core.Listeners.History;

/// <summary>A moment on both clocks.</summary>
/// <param name="Timestamp">Of the monotonic clock, in its own unit.</param>
/// <param name="Wall">Wall clock time.</param>
public readonly record struct HistoryMoment(long Timestamp, DateTimeOffset Wall)
{
    /// <summary>Now.</summary>
    public HistoryMoment(TimeProvider time)
        : this(time.GetTimestamp(), time.GetUtcNow())
    {
    }
}
