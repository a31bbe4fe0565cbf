namespace Supervisor.Core.Services;

/// <summary>The limits of a service that starts a process for each connection.</summary>
public sealed record ConnectionSpec
{
    /// <summary>The most processes at the same time; further connections wait in the accept queue. 1 or more.</summary>
    public int Max { get; init; } = 64;

    /// <summary>
    /// The most processes of one source (<see cref="WorkerConnection.Source"/>); further connections are closed. 0: no limit.
    /// </summary>
    public int MaxPerSource { get; init; }

    /// <summary>The most connections accepted in <see cref="RateInterval"/>; further ones wait in the accept queue. 0: no limit.</summary>
    public int RateLimit { get; init; }

    /// <summary>The time over which <see cref="RateLimit"/> counts.</summary>
    public TimeSpan RateInterval { get; init; } = TimeSpan.FromSeconds(1);
}
