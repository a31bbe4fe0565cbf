using System.Globalization;
using CsCheck;

namespace Supervisor.Core.Tests;

public class RecentItemsTests
{
    [Fact]
    public void Items_are_numbered_from_1_and_the_oldest_are_dropped_first()
    {
        var items = new RecentItems<long>(3);
        Assert.Equal(0, items.Newest);
        Assert.Equal("; missed 0; next 0", Read(items, 0, 10));
        for (var i = 0; i < 5; i++)
        {
            items.Add(seq => seq);
        }

        Assert.Equal(5, items.Newest);
        Assert.Equal("3 4 5; missed 2; next 5", Read(items, 0, 10));
        Assert.Equal("3 4; missed 1; next 4", Read(items, 1, 2));
        Assert.Equal("5; missed 0; next 5", Read(items, 4, 10));
        Assert.Equal("; missed 0; next 5", Read(items, 5, 10));
    }

    [Fact]
    public void A_number_of_another_run_starts_with_the_oldest_item()
    {
        var items = new RecentItems<long>(2);
        items.Add(seq => seq);
        items.Add(seq => seq);
        items.Add(seq => seq);
        Assert.Equal("2 3; missed 0; next 3", Read(items, 99, 10));
    }

    [Fact]
    public void The_newest_item_is_kept_at_any_size()
    {
        var items = new RecentItems<string>(100, 10, text => text.Length);
        items.Add(_ => "12345");
        items.Add(_ => "12345");
        Assert.Equal(2, items.After(0, 10).Items.Count);
        items.Add(_ => "1");
        Assert.Equal(["12345", "1"], items.After(0, 10).Items);
        items.Add(_ => new string('x', 1000));
        Assert.Single(items.After(0, 10).Items);
        items.Add(_ => "1");
        Assert.Equal(["1"], items.After(0, 10).Items);
    }

    [Fact]
    public async Task A_reader_waits_only_for_unread_items()
    {
        var items = new RecentItems<long>(2);
        var (first, again) = (items.Beyond(0), items.Beyond(0));
        Assert.False(first.IsCompleted);
        items.Add(seq => seq);
        await first;
        await again;
        Assert.True(items.Beyond(0).IsCompleted);
        Assert.False(items.Beyond(1).IsCompleted);
    }

    [Fact]
    public void A_reader_gets_each_item_once_in_order_or_a_loss_count() =>
        Gen.Select(Gen.Int[1, 40], Gen.Int[0, 30], Gen.Int[1, 9].Array[0, 120]).Sample((count, weight, moves) =>
        {
            var items = new RecentItems<long>(count, weight, seq => seq % 5);
            var (at, seen) = (0L, 0L);
            foreach (var move in moves)
            {
                if (move < 7)
                {
                    items.Add(seq => seq);
                    continue;
                }

                var (read, missed, next) = items.After(at, move);
                Assert.Equal(Enumerable.Range(0, read.Count).Select(i => at + missed + 1 + i), read);
                Assert.Equal(at + missed + read.Count, next);
                seen += missed + read.Count;
                at = next;
            }

            Assert.Equal(seen, at);
            Assert.True(items.After(0, int.MaxValue).Items.Count <= count);
        });

    private static string Read(RecentItems<long> items, long seq, int most)
    {
        var (read, missed, next) = items.After(seq, most);
        return string.Create(CultureInfo.InvariantCulture, $"{string.Join(' ', read)}; missed {missed}; next {next}");
    }
}
