namespace Supervisor.Bench;

/// <summary>How much is measured.</summary>
/// <param name="Rounds">Rounds of a measurement; the median counts.</param>
/// <param name="Requests">Control requests whose memory is looked for.</param>
/// <param name="Restarts">Restarts whose memory is looked for.</param>
/// <param name="Limit">How long the requests may take; the restarts have as long again.</param>
internal sealed record BenchScale(int Rounds, int Requests, int Restarts, TimeSpan Limit);
