using System.Globalization;

namespace Supervisor.Core.Services;

/// <summary>
/// Decides about the number of workers by samples of the accept queue. Pure. Workers are added when each sample within
/// <c>up_after</c> shows more waiting connections than <c>queue</c>. A worker is removed when no sample within <c>down_after</c> shows
/// more than a quarter of it. Between the two thresholds nothing changes, so the number does not swing.
/// </summary>
/// <param name="HighSince">Since when each sample was too high; null if the last one was not.</param>
/// <param name="LowSince">Since when each sample was low; null if the last one was not.</param>
public readonly record struct AutoscalePolicy(TimeSpan? HighSince, TimeSpan? LowSince)
{
    /// <summary>A low sample has at most this part of <c>queue</c>.</summary>
    private const int LowPart = 4;

    /// <summary>How often a service is sampled: some times within the shorter of the two periods.</summary>
    public static TimeSpan IntervalOf(AutoscaleSpec spec)
    {
        var shorter = spec.UpAfter < spec.DownAfter ? spec.UpAfter : spec.DownAfter;
        return TimeSpan.FromMilliseconds(Math.Clamp(shorter.TotalMilliseconds / 4, 20, 1000));
    }

    /// <summary>The state after one sample, and the change that follows; null if nothing changes.</summary>
    /// <param name="service">The service.</param>
    /// <param name="waiting">How many connections wait.</param>
    /// <param name="now">The daemon's monotonic time.</param>
    public (AutoscalePolicy Next, AutoscaleRequested? Change) Sample(ServiceState service, int waiting, TimeSpan now)
    {
        var spec = service.Spec.Autoscale;
        if (!spec.IsOn || !IsSteady(service))
        {
            return (default, null);
        }

        var next = new AutoscalePolicy(
            waiting > spec.Queue ? HighSince ?? now : null,
            waiting <= spec.Queue / LowPart ? LowSince ?? now : null);
        var desired = service.Desired;
        if (next.HighSince is { } high && now - high >= spec.UpAfter && desired < spec.Max)
        {
            // Doubling follows a burst; each step waits until the workers of the last one are ready.
            return (default, new AutoscaleRequested(Math.Min(spec.Max, desired * 2), string.Create(
                CultureInfo.InvariantCulture,
                $"more than {spec.Queue} connections waited for {Duration.Format(spec.UpAfter)} ({waiting} now)")));
        }

        if (next.LowSince is { } low && now - low >= spec.DownAfter && desired > spec.Min)
        {
            return (default, new AutoscaleRequested(desired - 1, string.Create(
                CultureInfo.InvariantCulture,
                $"at most {spec.Queue / LowPart} connections waited for {Duration.Format(spec.DownAfter)}")));
        }

        return (next, null);
    }

    /// <summary>
    /// Whether the queue tells something about the number of workers: the service runs, no roll-out is active and no worker starts.
    /// </summary>
    private static bool IsSteady(ServiceState service) =>
        service is { IsStarted: true, Rollout: not { IsActive: true } }
        && !service.Workers.Any(worker => worker.Phase == WorkerPhase.Starting);
}
