using Supervisor.Core.Services;

namespace Supervisor.Linux.Workers;

/// <summary>Counts connections in intervals of <c>connection_rate.interval</c>. An interval begins with its first connection.</summary>
internal sealed class RateWindow
{
    private TimeSpan? _since;
    private int _count;

    /// <summary>How many more connections may be accepted now.</summary>
    public int Room(ConnectionSpec limits, TimeSpan now) => limits.RateLimit == 0 ? int.MaxValue
        : _since is { } since && now < since + limits.RateInterval ? Math.Max(0, limits.RateLimit - _count)
        : limits.RateLimit;

    /// <summary>When the present interval ends.</summary>
    public TimeSpan End(ConnectionSpec limits) => (_since ?? TimeSpan.Zero) + limits.RateInterval;

    /// <summary>Counts accepted connections.</summary>
    public void Add(int count, ConnectionSpec limits, TimeSpan now)
    {
        if (!(_since is { } since && now < since + limits.RateInterval))
        {
            (_since, _count) = (now, 0);
        }

        _count += count;
    }
}
