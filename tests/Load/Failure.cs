namespace Supervisor.Load;

/// <summary>Why an exchange failed.</summary>
/// <param name="Kind">The kind of the failure.</param>
/// <param name="Detail">The step and the error as text: <c>receive: ConnectionReset</c>.</param>
/// <param name="NothingReceived">Whether no byte of an answer had arrived. Then HTTP permits a client to repeat a request
/// that it had sent on a kept-alive connection.</param>
internal readonly record struct Failure(FailureKind Kind, string Detail, bool NothingReceived);
