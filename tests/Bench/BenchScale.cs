namespace Supervisor.Bench;

/// <summary>The amount of measurements.</summary>
/// <param name="Rounds">Rounds of a measurement; the median counts.</param>
/// <param name="Requests">Control requests after which the memory is measured.</param>
/// <param name="Restarts">Restarts after which the memory is measured.</param>
/// <param name="Limit">The time limit of the requests, and of the restarts.</param>
internal sealed record BenchScale(int Rounds, int Requests, int Restarts, TimeSpan Limit);
