namespace Supervisor.Control;

/// <summary>What <c>POST /v1/services/NAME/signal?signal=SIG</c> answers.</summary>
/// <param name="Service">The service.</param>
/// <param name="Signal">The signal's name, with SIG.</param>
/// <param name="Sent">How many workers it was sent to.</param>
/// <param name="Pids">Their process ids.</param>
/// <param name="Message">The line for people.</param>
public sealed record SignalDocument(string Service, string Signal, int Sent, IReadOnlyList<int> Pids, string Message);
