namespace Supervisor.Load;

/// <summary>Why an exchange failed.</summary>
/// <param name="Kind">The class under which it is counted.</param>
/// <param name="Detail">The step and what it met, for people: <c>receive: ConnectionReset</c>.</param>
/// <param name="NothingReceived">Whether not one byte of an answer had come: then HTTP lets a client send the request again,
/// where it went out on a kept connection.</param>
internal readonly record struct Failure(FailureKind Kind, string Detail, bool NothingReceived);
