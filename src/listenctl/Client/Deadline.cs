namespace Supervisor.Listenctl.Client;

/// <summary>A limit for blocking calls, by the monotonic clock.</summary>
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

    /// <summary>The value of SO_RCVTIMEO and SO_SNDTIMEO in milliseconds: at least 1, and 0 (no limit) without a deadline.</summary>
    public int RemainingMilliseconds => clock is null
        ? 0
        : (int)Math.Clamp(clock.GetElapsedTime(clock.GetTimestamp(), end).TotalMilliseconds, 1, int.MaxValue);

    /// <summary>Whether it is over.</summary>
    public bool HasPassed => clock is not null && clock.GetTimestamp() >= end;

    /// <summary>A deadline from now on; <see cref="None"/> for a span of centuries.</summary>
    public static Deadline After(TimeSpan span, TimeProvider clock)
    {
        var ticks = span.TotalSeconds * clock.TimestampFrequency;
        return ticks >= long.MaxValue / 2.0 ? None : new Deadline(clock, clock.GetTimestamp() + (long)ticks);
    }
}
