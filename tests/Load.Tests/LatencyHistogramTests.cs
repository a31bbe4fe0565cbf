using CsCheck;

namespace Supervisor.Load.Tests;

public class LatencyHistogramTests
{
    // Realistic durations: evenly distributed over the orders of magnitude from 0 to 18 minutes.
    private static readonly Gen<long> Duration = Gen.OneOf(
        Gen.Double[0, 40].Select(exponent => (long)Math.Pow(2, exponent) - 1),
        Gen.Long[0, 1_000_000_000_000]);

    [Fact]
    public void Percentiles_match_the_sorted_durations_within_1_percent() =>
        Gen.Select(Duration.Array[1, 500], Gen.Double[0, 1]).Sample((durations, share) =>
        {
            var histogram = new LatencyHistogram();
            foreach (var duration in durations)
            {
                histogram.Record(duration);
            }

            Array.Sort(durations);
            var exact = durations[Math.Max(0, (int)Math.Ceiling(share * durations.Length) - 1)];
            return Math.Abs(histogram.Percentile(share) - exact) <= Math.Max(1, exact * 0.01)
                && histogram.Count == durations.Length
                && histogram.Max == durations[^1];
        });

    [Fact]
    public void Adding_a_histogram_records_all_its_values() =>
        Gen.Select(Duration.Array[0, 100], Duration.Array[0, 100], Gen.Double[0, 1]).Sample((first, second, share) =>
        {
            var together = Of([.. first, .. second]);
            var added = Of(first);
            added.Add(Of(second));
            return added.Count == together.Count && added.Max == together.Max && added.Percentile(share) == together.Percentile(share);
        });

    [Fact]
    public void A_value_out_of_range_counts_as_the_nearest_bound()
    {
        var histogram = Of([-5, long.MaxValue]);

        Assert.Equal(2, histogram.Count);
        Assert.Equal(0, histogram.Percentile(0.5));
        Assert.Equal((1L << 40) - 1, histogram.Max);
    }

    [Fact]
    public void An_empty_histogram_has_zeros() => Assert.Equal(new LatencySummary(0, 0, 0, 0, 0), new LatencyHistogram().Summarize());

    [Fact]
    public void Recording_allocates_nothing()
    {
        var histogram = new LatencyHistogram();
        histogram.Record(1);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10_000; i++)
        {
            histogram.Record(i * 997L);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static LatencyHistogram Of(long[] durations)
    {
        var histogram = new LatencyHistogram();
        foreach (var duration in durations)
        {
            histogram.Record(duration);
        }

        return histogram;
    }
}
