using Supervisor.Core.Services;

namespace Supervisor.Core.Reload;

/// <summary>A service that the daemon has, as a reload needs to know it.</summary>
/// <param name="Spec">What was last asked for.</param>
/// <param name="Workers">How many workers it is to have; <c>listenctl scale</c> may have changed the number.</param>
public sealed record RunningService(ServiceSpec Spec, int Workers)
{
    /// <summary>Whether it is to run: not where somebody has stopped it.</summary>
    public bool IsToRun { get; init; } = true;

    /// <summary>Whether some workers are of an older generation than the one last asked for, and no roll-out changes that.</summary>
    public bool IsMixed { get; init; }

    /// <summary>Whether workers have to be replaced for a listener to have so many shards, and the service so many workers.</summary>
    public Func<RunningListener, int, int, bool> NeedsOtherShares { get; init; } = static (_, _, _) => false;
}
