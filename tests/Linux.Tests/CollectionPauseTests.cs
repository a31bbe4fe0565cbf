using Supervisor.Linux.Performance;

namespace Supervisor.Linux.Tests;

public class CollectionPauseTests
{
    [Fact]
    public void A_collection_pause_ends_if_allocation_exceeds_its_budget()
    {
        using (CollectionPause.For(1000, 1))
        {
            GC.Collect();
        }

        // As if there were no pause, or one already.
        using var none = CollectionPause.For(1, 1);
        using var first = CollectionPause.For(1000, 1);
        using var second = CollectionPause.For(1000, 1);
    }
}
