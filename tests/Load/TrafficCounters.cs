namespace Supervisor.Load;

/// <summary>The counters behind a <see cref="TrafficReport"/>, written from any thread without a lock.</summary>
internal sealed class TrafficCounters
{
    private readonly long[] _failures = new long[Enum.GetValues<FailureKind>().Length];
    private long _requests;
    private long _succeeded;
    private long _retried;

    public LatencyHistogram Latency { get; } = new();

    public void Due() => Interlocked.Increment(ref _requests);

    public void Succeed(long nanoseconds)
    {
        Interlocked.Increment(ref _succeeded);
        Latency.Record(nanoseconds);
    }

    public void Retry() => Interlocked.Increment(ref _retried);

    public void Fail(FailureKind kind) => Interlocked.Increment(ref _failures[(int)kind]);

    /// <summary>The sum of some counters, with the latency of one of them.</summary>
    public static TrafficReport Sum(LatencySummary latency, params ReadOnlySpan<TrafficCounters> parts)
    {
        long requests = 0, succeeded = 0, retried = 0;
        var failures = new SortedDictionary<FailureKind, long>();
        foreach (var part in parts)
        {
            // Reads the ended requests before the begun ones, so no request appears to end before it begins.
            for (var i = 0; i < part._failures.Length; i++)
            {
                if (Volatile.Read(ref part._failures[i]) is > 0 and var count)
                {
                    failures[(FailureKind)i] = failures.GetValueOrDefault((FailureKind)i) + count;
                }
            }

            retried += Volatile.Read(ref part._retried);
            succeeded += Volatile.Read(ref part._succeeded);
            requests += Volatile.Read(ref part._requests);
        }

        return new TrafficReport { Requests = requests, Succeeded = succeeded, Retried = retried, Failures = failures, Latency = latency };
    }
}
