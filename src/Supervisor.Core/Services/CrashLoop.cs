namespace Supervisor.Core.Services;

/// <summary>
/// Failures in a row of a slot's workers that were ready: a crash loop that is too slow for <c>restart.limit</c>. Pure data; times
/// are monotonic, since the daemon's start.
/// </summary>
/// <param name="Crashes">How many workers in a row failed, each within <see cref="Lifetime"/> of its start.</param>
/// <param name="FirstAt">When the first of them exited.</param>
/// <param name="LastAt">When the last of them exited.</param>
public sealed record CrashLoop(int Crashes, TimeSpan FirstAt, TimeSpan LastAt)
{
    /// <summary>A worker that has lived for longer ends the loop.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);

    /// <summary>So many failures in a row make a loop, if <c>restart.limit</c> is 0.</summary>
    private const int DefaultLimit = 5;

    /// <summary>The loop is over when no worker has failed for so many of its periods.</summary>
    private const int QuietPeriods = 10;

    /// <summary>The time between two failures, on average.</summary>
    public TimeSpan Period() => Crashes < 2 ? TimeSpan.Zero : (LastAt - FirstAt) / (Crashes - 1);

    /// <summary>The loop after another failure of a worker that had been started at <paramref name="startedAt"/>.</summary>
    public static CrashLoop After(CrashLoop? before, TimeSpan startedAt, TimeSpan now) =>
        before is null || now - startedAt > Lifetime
            ? new CrashLoop(1, now, now)
            : before with { Crashes = before.Crashes + 1, LastAt = now };

    /// <summary>Whether this failure is reported: the one that makes a loop, and then each doubling.</summary>
    public bool IsNews(RestartSpec restart)
    {
        var limit = LimitOf(restart);
        return Crashes % limit == 0 && int.IsPow2(Crashes / limit);
    }

    /// <summary>Whether the slot is in a crash loop now.</summary>
    public bool IsActive(RestartSpec restart, TimeSpan now)
    {
        var quiet = Period() * QuietPeriods;
        return Crashes >= LimitOf(restart) && now - LastAt <= (quiet > restart.LimitInterval ? quiet : restart.LimitInterval);
    }

    private static int LimitOf(RestartSpec restart) => restart.Limit > 0 ? restart.Limit : DefaultLimit;
}
