using Supervisor.Core.Services;

namespace Supervisor.Core.Tests.Services;

public class MachineClockTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public void AnEventThatIsReadLateCountsAsBeforeTheDeadline()
    {
        Assert.Equal(5 * Second - TimeSpan.FromTicks(1), new MachineClock().Event(9 * Second, 5 * Second));
    }

    [Fact]
    public void AnEventBeforeTheDeadlineHasItsOwnTime()
    {
        Assert.Equal(4 * Second, new MachineClock().Event(4 * Second, 5 * Second));
    }

    [Fact]
    public void TimeDoesNotGoBackToADeadlineFromBeforeTheLastEvent()
    {
        var clock = new MachineClock();
        var started = clock.Passed(7 * Second);

        Assert.Equal(started, clock.Event(8 * Second, 6 * Second));
    }
}
