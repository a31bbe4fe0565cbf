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
    public void Each_slot_serves_its_assigned_shards(int workers, int shards, string expected) =>
        Assert.Equal(
            expected,
            string.Join(" | ", Enumerable.Range(0, workers).Select(slot => string.Join(',', ShardAssignment.Of(slot, workers, shards)))));

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

    [Theory]
    [InlineData("0 | 1 | 2 | 3", 4, 4, false)]
    [InlineData("0 | 1 | 2 | 3", 4, 8, true)]
    [InlineData("0 | 1 | 2 | 3", 8, 8, false)]
    [InlineData("0 | 1 | 2 | 3", 2, 2, false)]
    [InlineData("0 | 1 | 2 | 3", 4, 2, true)]
    [InlineData("0 | 1 | 2 | 3", 2, 4, true)]
    [InlineData("0,2 | 1,3", 2, 2, true)]
    [InlineData("0 | - | 2 | 3", 4, 4, false)]
    [InlineData("0 |  | 1 | 0", 4, 2, true)]
    [InlineData("0 | 1 | 0 | 1", 6, 2, false)]
    [InlineData("0", 1, 1, false)]
    public void Workers_with_a_wrong_share_are_replaced(string held, int workers, int shards, bool outdated)
    {
        var slots = held.Split('|', StringSplitOptions.TrimEntries).Select((text, slot) => (text, slot))
            .Where(pair => pair.text != "-" && pair.slot < workers)
            .ToDictionary(
                pair => pair.slot,
                pair => (IReadOnlyCollection<int>)[.. pair.text.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse)]);
        Assert.Equal(outdated, ShardAssignment.IsOutdated(slots, workers, shards));
    }

    [Fact]
    public void A_worker_with_its_assigned_share_stays()
    {
        for (var workers = 1; workers <= 12; workers++)
        {
            for (var shards = 1; shards <= 12; shards++)
            {
                var held = Enumerable.Range(0, workers)
                    .ToDictionary(slot => slot, slot => (IReadOnlyCollection<int>)[.. ShardAssignment.Of(slot, workers, shards)]);
                Assert.False(ShardAssignment.IsOutdated(held, workers, shards));
                held.Remove(workers / 2);
                Assert.False(ShardAssignment.IsOutdated(held, workers, shards));
            }
        }
    }
}
