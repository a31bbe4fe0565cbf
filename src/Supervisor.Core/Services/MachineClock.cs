namespace Supervisor.Core.Services;

/// <summary>The time that a service's machine sees. It never goes back.</summary>
/// <remarks>
/// An event that a late loop reads after a deadline may have come before it. It counts as just before the deadline, so that a
/// busy host does not turn a worker that was ready in time into one that timed out.
/// </remarks>
public sealed class MachineClock
{
    private TimeSpan _latest = TimeSpan.MinValue;

    /// <summary>The time of an event that is read at <paramref name="now"/> while <paramref name="deadline"/> is the machine's next.</summary>
    public TimeSpan Event(TimeSpan now, TimeSpan? deadline) =>
        Later(deadline is { } due && due <= now ? due - TimeSpan.FromTicks(1) : now);

    /// <summary>The time at which all events until <paramref name="time"/> have been handled.</summary>
    public TimeSpan Passed(TimeSpan time) => Later(time);

    // A deadline can be older than a worker that was started after it: its events would be older than its start.
    private TimeSpan Later(TimeSpan time) => _latest = time > _latest ? time : _latest;
}
