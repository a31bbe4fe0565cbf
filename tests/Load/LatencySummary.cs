namespace Supervisor.Load;

/// <summary>Percentiles of the time from when a request was due to the last byte of its answer, in milliseconds.</summary>
public sealed record LatencySummary(double P50Ms, double P90Ms, double P99Ms, double P999Ms, double MaxMs);
