namespace Supervisor.Core.Workers;

/// <summary>What was seen of a worker that leaves, at one moment.</summary>
/// <param name="Connections">The connections in its hands; null where it may not be looked into.</param>
/// <param name="Awaited">The listeners on which it was seen to wait for connections, by name; null where that was not looked at.</param>
public sealed record DrainSample(IReadOnlyList<AcceptedConnection>? Connections, IReadOnlyList<string>? Awaited = null)
{
    /// <summary>
    /// Whether only connections that were known before were looked for, which is cheap: one that is new is not in it. Its
    /// descriptors are not read then.
    /// </summary>
    public bool IsPartial { get; init; }

    /// <summary>Whether nothing can be looked at afterwards: the worker is about to be killed.</summary>
    public bool IsLast { get; init; }
}
