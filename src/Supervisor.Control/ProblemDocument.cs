namespace Supervisor.Control;

/// <summary>An error by RFC 9457 (application/problem+json).</summary>
/// <param name="Type">A URI for the kind of problem, or about:blank.</param>
/// <param name="Title">The kind of problem for people.</param>
/// <param name="Status">The HTTP status.</param>
/// <param name="Detail">The problem in detail, with the remedy.</param>
public sealed record ProblemDocument(string Type, string Title, int Status, string Detail);
