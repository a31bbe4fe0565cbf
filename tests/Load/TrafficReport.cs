namespace Supervisor.Load;

/// <summary>The figures of one kind of traffic, in one phase or in total.</summary>
public sealed record TrafficReport
{
    /// <summary>Requests that were due. Each has succeeded, failed, or is still in flight.</summary>
    public required long Requests { get; init; }

    /// <summary>Requests answered completely, with a 2xx status.</summary>
    public required long Succeeded { get; init; }

    /// <summary>
    /// Requests that were repeated because the server closed a kept-alive connection during their send (RFC 9112, 9.3.1). They
    /// succeed or fail like all others.
    /// </summary>
    public required long Retried { get; init; }

    /// <summary>Failed requests by kind; kinds that did not occur are absent.</summary>
    public required IReadOnlyDictionary<FailureKind, long> Failures { get; init; }

    /// <summary>The latency of succeeded requests.</summary>
    public required LatencySummary Latency { get; init; }

    /// <summary>All failed requests.</summary>
    public long Failed => Failures.Values.Sum();
}
