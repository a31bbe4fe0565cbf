using Supervisor.Core.Listeners;

namespace Supervisor.Core.Tests.Listeners;

public class ShardAssignmentTests
{
    [Theory]
    [InlineData(4, 4, "0 | 1 | 2 | 3")]
    [InlineData(2, 4, "0,2 | 1,3")]
    [InlineData(3, 4, "0,3 | 1 | 2")]
    [InlineData(1, 3, "0,1,2")]
    [InlineData(5, 2, "0 | 1 | 0 | 1 | 0")]
    [InlineData(2, 1, "0 | 0")]
    public void A_slot_serves_its_shards(int workers, int shards, string expected) =>
        Assert.Equal(expected, string.Join(" | ", Enumerable.Range(0, workers).Select(slot => string.Join(',', ShardAssignment.Of(slot, workers, shards)))));

    [Fact]
    public void Every_shard_is_served_and_no_slot_is_idle()
    {
        for (var workers = 1; workers <= 20; workers++)
        {
            for (var shards = 1; shards <= 20; shards++)
            {
                var slots = Enumerable.Range(0, workers).Select(slot => ShardAssignment.Of(slot, workers, shards).ToArray()).ToArray();
                Assert.All(slots, Assert.NotEmpty);
                Assert.Equal(Enumerable.Range(0, shards), slots.SelectMany(slot => slot).Distinct().Order());
            }
        }
    }
}
