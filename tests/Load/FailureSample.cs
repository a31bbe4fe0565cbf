namespace Supervisor.Load;

/// <summary>One failed request, kept for the report. Of many only the first are.</summary>
/// <param name="AtMs">When it was noticed, in milliseconds since the run began.</param>
/// <param name="Phase">The phase in which the request was due.</param>
/// <param name="Traffic">How the client used the listener.</param>
/// <param name="Kind">The class under which it is counted.</param>
/// <param name="Detail">The step and what it met.</param>
public sealed record FailureSample(double AtMs, string Phase, Traffic Traffic, FailureKind Kind, string Detail);
