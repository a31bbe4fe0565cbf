using Supervisor.Core.Services;

namespace Supervisor.Core.Reload;

/// <summary>A service of the daemon, as a reload sees it.</summary>
/// <param name="Spec">The present specification.</param>
/// <param name="Workers">Its desired number of workers; <c>listenctl scale</c> may have changed the number.</param>
public sealed record RunningService(ServiceSpec Spec, int Workers)
{
    /// <summary>Whether it is started: not if a client has stopped it.</summary>
    public bool IsToRun { get; init; } = true;

    /// <summary>Whether some workers are of an older generation than the present one, and no roll-out changes that.</summary>
    public bool IsMixed { get; init; }

    /// <summary>Whether workers have to be replaced if a listener has that many shards and the service that many workers.</summary>
    public Func<RunningListener, int, int, bool> NeedsOtherShares { get; init; } = static (_, _, _) => false;
}
