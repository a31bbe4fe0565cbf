namespace Supervisor.Control;

/// <summary>The answer to <c>POST /v1/services/NAME/signal?signal=SIG</c>.</summary>
/// <param name="Service">The service.</param>
/// <param name="Signal">The signal's name, with SIG.</param>
/// <param name="Sent">The number of workers that received it.</param>
/// <param name="Pids">The process ids of the workers.</param>
/// <param name="Message">The same as text.</param>
public sealed record SignalDocument(string Service, string Signal, int Sent, IReadOnlyList<int> Pids, string Message);
