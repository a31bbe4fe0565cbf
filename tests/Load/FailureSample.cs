namespace Supervisor.Load;

/// <summary>One failed request. The report has only the first ones.</summary>
/// <param name="AtMs">When the failure was noticed, in milliseconds after the start of the run.</param>
/// <param name="Phase">The phase in which the request was due.</param>
/// <param name="Traffic">How the client used the listener.</param>
/// <param name="Kind">The kind of the failure.</param>
/// <param name="Detail">The step and the error.</param>
public sealed record FailureSample(double AtMs, string Phase, Traffic Traffic, FailureKind Kind, string Detail);
