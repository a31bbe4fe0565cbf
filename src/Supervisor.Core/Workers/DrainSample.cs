namespace Supervisor.Core.Workers;

/// <summary>A sample of a draining worker, taken at one moment.</summary>
/// <param name="Connections">Its open connections; null if the daemon may not read its descriptors.</param>
/// <param name="Awaited">The listeners on which it waits for connections, by name; null if that was not sampled.</param>
public sealed record DrainSample(IReadOnlyList<AcceptedConnection>? Connections, IReadOnlyList<string>? Awaited = null)
{
    /// <summary>
    /// Whether the sample covers only known connections, which is cheap: its descriptors are not read, so a new connection is
    /// missing.
    /// </summary>
    public bool IsPartial { get; init; }

    /// <summary>Whether it is the last sample: the worker is about to be killed.</summary>
    public bool IsLast { get; init; }
}
