using Supervisor.Core.Workers;

namespace Supervisor.Core.Services;

/// <summary>
/// Decides when a slot gets its next worker after an unrequested exit. After a worker that had proven itself ready, it does so
/// at once. Otherwise the wait doubles from the second failure in a row. After more than <c>limit</c> restarts within
/// <c>limit_interval</c>, the slot waits for <c>backoff_max</c>.
/// </summary>
public static class RestartDecision
{
    /// <summary>
    /// How long a worker that is ready by its exec must live to count as proven. Otherwise a program that exits at once would
    /// count as having been ready.
    /// </summary>
    public static readonly TimeSpan ProvenAfter = TimeSpan.FromSeconds(1);

    /// <summary>The slot after the exit of <paramref name="worker"/>.</summary>
    public static SlotState After(SlotState slot, WorkerState worker, ExitReason reason, ServiceSpec spec, TimeSpan now)
    {
        var restart = spec.Restart;
        slot = slot with
        {
            LastExit = reason,
            CrashLoop = reason.Clean ? null
                : worker.ReadyAt is null ? slot.CrashLoop
                : CrashLoop.After(slot.CrashLoop, worker.StartedAt, now),
        };
        var wanted = restart.Policy switch
        {
            RestartPolicy.Always => true,
            RestartPolicy.OnFailure => !reason.Clean || worker.EndReason == EndReason.StartTimedOut,
            RestartPolicy.Never => false,
            _ => throw new ArgumentOutOfRangeException(nameof(spec)),
        };
        var failures = Proven(worker, reason, spec, now) ? 1 : slot.Failures + 1;
        if (!wanted)
        {
            slot = slot with { Phase = SlotPhase.Finished, NextTry = null };
            return spec.Start == StartMode.OnDemand
                ? slot with { Failures = reason.Clean && worker.ReadyAt is not null ? 0 : failures }
                : slot;
        }

        var recent = slot.RecentRestarts.RemoveAll(at => at <= now - restart.LimitInterval);
        var limited = restart.Limit > 0 && recent.Length >= restart.Limit;
        recent = recent.Add(now);
        var wait = limited ? restart.BackoffMax : Backoff(restart, failures);
        return slot with
        {
            Failures = failures,
            Restarts = slot.Restarts + 1,
            RecentRestarts = recent,
            Phase = limited ? SlotPhase.Limited : SlotPhase.Open,
            NextTry = wait == TimeSpan.Zero ? null : now + wait,
        };
    }

    /// <summary>The wait before the next try after that many failures in a row: zero after the first, then doubling.</summary>
    public static TimeSpan Backoff(RestartSpec restart, int failures)
    {
        if (failures <= 1)
        {
            return TimeSpan.Zero;
        }

        var factor = Math.Pow(2, Math.Min(failures - 2, 40));
        var ticks = restart.Backoff.Ticks * factor;
        return ticks >= restart.BackoffMax.Ticks ? restart.BackoffMax : TimeSpan.FromTicks((long)ticks);
    }

    /// <summary>
    /// How long a connection has to wait that was there already when the last worker of an on-demand service exited: otherwise a
    /// worker that exits without accepting it would be started again and again without a pause.
    /// </summary>
    public static TimeSpan BeforeDemand(SlotState slot, RestartSpec restart) =>
        Backoff(restart, slot.Failures) is var wait && wait > restart.Backoff ? wait : restart.Backoff;

    /// <summary>
    /// Whether a worker was ready and did not fail soon after. Otherwise a program that sends READY=1 and crashes would be
    /// restarted hundreds of times a second. A worker that exited cleanly may have done its work.
    /// </summary>
    private static bool Proven(WorkerState worker, ExitReason reason, ServiceSpec spec, TimeSpan now)
    {
        if (worker.ReadyAt is not { } ready)
        {
            return false;
        }

        var needed = spec.Readiness.Kind == ReadinessKind.Started ? ProvenAfter
            : reason.Clean || reason.Killed ? TimeSpan.Zero
            : spec.Restart.Backoff;
        return now - ready >= needed;
    }
}
