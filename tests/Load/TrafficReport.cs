namespace Supervisor.Load;

/// <summary>Figures of one way of using the listener, within one phase or over all.</summary>
public sealed record TrafficReport
{
    /// <summary>Requests that were due. Each has succeeded, failed, or is still in flight.</summary>
    public required long Requests { get; init; }

    /// <summary>Requests answered completely, with a 2xx status.</summary>
    public required long Succeeded { get; init; }

    /// <summary>
    /// Requests sent a second time because a kept connection was closed while they were being written (RFC 9112, 9.3.1). They end
    /// as succeeded or failed like all others.
    /// </summary>
    public required long Retried { get; init; }

    /// <summary>Failed requests by kind; kinds that did not occur are absent.</summary>
    public required IReadOnlyDictionary<FailureKind, long> Failures { get; init; }

    /// <summary>Of the succeeded.</summary>
    public required LatencySummary Latency { get; init; }

    /// <summary>All failed requests.</summary>
    public long Failed => Failures.Values.Sum();
}
