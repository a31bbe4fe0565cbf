using System.Runtime;
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

    [Fact]
    public void A_pause_that_is_begun_lasts_until_it_is_ended()
    {
        CollectionPause.Begin(1000, 1024);
        try
        {
            using (CollectionPause.For(1000, 1))
            {
                Assert.Equal(GCLatencyMode.NoGCRegion, GCSettings.LatencyMode);
            }

            var collections = GC.CollectionCount(0);
            for (var i = 0; i < 500; i++)
            {
                _ = new byte[1024];
            }

            Assert.Equal(GCLatencyMode.NoGCRegion, GCSettings.LatencyMode);
            Assert.Equal(collections, GC.CollectionCount(0));
        }
        finally
        {
            CollectionPause.End();
        }

        Assert.NotEqual(GCLatencyMode.NoGCRegion, GCSettings.LatencyMode);

        // Without effect: it has ended.
        CollectionPause.End();
    }
}
