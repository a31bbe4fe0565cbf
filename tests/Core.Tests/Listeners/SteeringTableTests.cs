using Supervisor.Core.Listeners;

namespace Supervisor.Core.Tests.Listeners;

public sealed class SteeringTableTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(1000)]
    public void Targets_share_equally(int targets)
    {
        var table = SteeringTable.Build([.. Enumerable.Range(0, targets).Select(slot => new SteeringTarget(slot, 1))], null, 0);
        Assert.Equal(SteeringTable.Length, table.Length);
        var counts = table.GroupBy(slot => slot).Select(entries => entries.Count()).ToArray();
        Assert.Equal(targets, counts.Length);
        Assert.True(counts.Max() - counts.Min() <= 1);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(5, 5)]
    [InlineData(250, 250)]
    [InlineData(1000, 1000)]
    public void A_canary_gets_its_share_whatever_the_number_of_its_workers(int share, int expected)
    {
        foreach (var canaries in new[] { 1, 3 })
        {
            SteeringTarget[] targets =
            [
                .. Enumerable.Range(0, 4).Select(slot => new SteeringTarget(slot, 1)),
                .. Enumerable.Range(4, canaries).Select(slot => new SteeringTarget(slot, 2)),
            ];
            Assert.Equal(expected, SteeringTable.Build(targets, 2, share).Count(slot => slot >= 4));
        }
    }

    [Fact]
    public void A_canary_without_siblings_gets_everything() =>
        Assert.Equal([(2, 1000)], SteeringTable.Shares([new SteeringTarget(7, 2)], 2, 50));

    [Fact]
    public void Shares_name_the_generations() =>
        Assert.Equal([(1, 950), (2, 50)], SteeringTable.Shares([new SteeringTarget(0, 1), new SteeringTarget(9, 2)], 2, 50));
}
