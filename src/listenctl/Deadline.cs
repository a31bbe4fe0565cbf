namespace Supervisor.Listenctl;

/// <summary>A moment by the monotonic clock until which the kernel may make us wait.</summary>
internal readonly struct Deadline
{
    private readonly TimeProvider? clock;
    private readonly long end;

    private Deadline(TimeProvider clock, long end)
    {
        this.clock = clock;
        this.end = end;
    }

    /// <summary>No deadline.</summary>
    public static Deadline None => default;

    /// <summary>What SO_RCVTIMEO and SO_SNDTIMEO take: milliseconds, 1 at least (0 means for ever); 0 where there is no deadline.</summary>
    public int RemainingMilliseconds => clock is null
        ? 0
        : (int)Math.Clamp(clock.GetElapsedTime(clock.GetTimestamp(), end).TotalMilliseconds, 1, int.MaxValue);

    /// <summary>So long from now; one that is centuries away is none.</summary>
    public static Deadline After(TimeSpan span, TimeProvider clock)
    {
        var ticks = span.TotalSeconds * clock.TimestampFrequency;
        return ticks >= long.MaxValue / 2.0 ? None : new Deadline(clock, clock.GetTimestamp() + (long)ticks);
    }
}
