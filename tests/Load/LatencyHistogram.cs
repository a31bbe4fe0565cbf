using System.Numerics;

namespace Supervisor.Load;

/// <summary>
/// Durations in log-linear buckets, as in HdrHistogram: each power of two has 128 equal buckets, so values from
/// 1 ns to 18 minutes have an error below 0.8 % in 35 KiB. Recording is one interlocked increment from any thread, without
/// allocation or lock. Concurrent reads are consistent enough for a live display.
/// </summary>
public sealed class LatencyHistogram
{
    private const int SubBucketBits = 7;
    private const int SubBuckets = 1 << SubBucketBits;
    private const int MaxValueBits = 40;
    private const long MaxValue = (1L << MaxValueBits) - 1;

    private readonly long[] _counts = new long[(MaxValueBits - SubBucketBits + 1) * SubBuckets];
    private long _max;

    /// <summary>Adds one duration, in nanoseconds. A value out of range counts as the end of the range.</summary>
    public void Record(long nanoseconds)
    {
        var value = Math.Clamp(nanoseconds, 0, MaxValue);
        Interlocked.Increment(ref _counts[IndexOf(value)]);
        var max = Volatile.Read(ref _max);
        while (value > max)
        {
            var seen = Interlocked.CompareExchange(ref _max, value, max);
            if (seen == max)
            {
                return;
            }

            max = seen;
        }
    }

    /// <summary>Adds the durations of <paramref name="other"/>.</summary>
    public void Add(LatencyHistogram other)
    {
        for (var i = 0; i < _counts.Length; i++)
        {
            _counts[i] += Volatile.Read(ref other._counts[i]);
        }

        _max = Math.Max(_max, Volatile.Read(ref other._max));
    }

    /// <summary>How many durations were recorded.</summary>
    public long Count
    {
        get
        {
            long count = 0;
            for (var i = 0; i < _counts.Length; i++)
            {
                count += Volatile.Read(ref _counts[i]);
            }

            return count;
        }
    }

    /// <summary>The longest duration, in nanoseconds, exactly. 0 if there is none.</summary>
    public long Max => Volatile.Read(ref _max);

    /// <summary>
    /// The duration, in nanoseconds, that the given share (0 to 1) of the durations does not exceed: the value of
    /// nearest rank, to 0.4 %. 0 if there is none.
    /// </summary>
    public long Percentile(double share)
    {
        var count = Count;
        if (count == 0)
        {
            return 0;
        }

        var rank = Math.Clamp((long)Math.Ceiling(share * count), 1, count);
        long seen = 0;
        for (var i = 0; i < _counts.Length; i++)
        {
            seen += Volatile.Read(ref _counts[i]);
            if (seen >= rank)
            {
                return Math.Min(MiddleOf(i), Max);
            }
        }

        return Max;
    }

    /// <summary>The figures of a report.</summary>
    public LatencySummary Summarize() => new(
        Milliseconds(Percentile(0.50)), Milliseconds(Percentile(0.90)), Milliseconds(Percentile(0.99)),
        Milliseconds(Percentile(0.999)), Milliseconds(Max));

    private static double Milliseconds(long nanoseconds) => Math.Round(nanoseconds / 1e6, 3);

    // Values below 128 have a bucket each; above, the topmost 8 bits of a value choose its bucket.
    private static int IndexOf(long value)
    {
        var shift = Math.Max(0, BitOperations.Log2((ulong)value) - SubBucketBits);
        return (shift * SubBuckets) + (int)(value >> shift);
    }

    private static long MiddleOf(int index)
    {
        var shift = Math.Max(0, (index >> SubBucketBits) - 1);
        var lowest = (long)(index - (shift * SubBuckets)) << shift;
        return lowest + ((1L << shift) >> 1);
    }
}
