using System.Collections.Immutable;

namespace Supervisor.Core.Services;

/// <summary>
/// Replaces workers that are old, large or unhealthy by others of their generation. A worker drains when the other one has
/// settled. At most <c>max_surge</c> slots (at least one) change at the same time, and none during a roll-out.
/// </summary>
internal sealed class ReplacementSteps(ServiceStep step)
{
    /// <summary>The shortest time between two attempts to replace the same worker.</summary>
    private static readonly TimeSpan ShortestRetry = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Marks a worker. Without effect if it is marked for a cause as urgent, does not serve, or its last replacement has just failed.
    /// Other limits do not wait: each change of the limits marks only once.
    /// </summary>
    public void Mark(int workerId, ReplacementCause cause, string text)
    {
        if (!step.State.IsStarted
            || step.State.SlotWorkers.FirstOrDefault(worker => worker.Id == workerId) is not { IsReplaceable: true } due)
        {
            return;
        }

        var isAgain = due.Due == ReplacementCause.Limits && due.NotDueBefore is not null;
        if (cause == ReplacementCause.Limits
            ? isAgain || Urgency(cause) > Urgency(due.Due)
            : Urgency(cause) > Urgency(due.Due) && !(step.Now < due.NotDueBefore))
        {
            step.Update(workerId, worker => worker with
            {
                Due = cause,
                DueText = text,
                NotDueBefore = cause == ReplacementCause.Limits ? null : worker.NotDueBefore,
            });
        }
    }

    /// <summary>
    /// Removes the marks whose cause another setting may have removed. The watches of the new settings mark again what fails them.
    /// </summary>
    /// <param name="before">The specifications of the generations before the change.</param>
    public void Reconsider(ImmutableSortedDictionary<int, ServiceSpec> before)
    {
        foreach (var worker in step.State.SlotWorkers.Where(worker => worker.IsReplaceable && worker.Due != ReplacementCause.None))
        {
            var (was, now) = (before.GetValueOrDefault(worker.Generation), step.State.SpecOf(worker.Generation));
            var isChanged = worker.Due switch
            {
                ReplacementCause.Age or ReplacementCause.Memory => was?.Recycle != now.Recycle,
                ReplacementCause.Unhealthy or ReplacementCause.Silent => was?.Liveness != now.Liveness,
                ReplacementCause.Limits => was?.Cgroup != now.Cgroup,
                _ => false,
            };
            if (isChanged)
            {
                step.Update(worker.Id, changed => changed with { Due = ReplacementCause.None, DueText = null });
            }
        }
    }

    /// <summary>Marks the workers that have reached recycle.max_age, and ends the waits after failed replacements.</summary>
    public void PassAges()
    {
        foreach (var worker in step.State.Workers)
        {
            if (worker.RepeatedAt <= step.Now)
            {
                step.Update(worker.Id, waited => waited with { NotDueBefore = null });
            }

            if (step.State.RecycledAt(worker) <= step.Now)
            {
                var age = step.State.SpecOf(worker.Generation).Recycle.MaxAge;
                Mark(worker.Id, ReplacementCause.Age, $"has reached recycle.max_age ({Duration.Format(age)})");
            }
        }
    }

    /// <summary>
    /// Begins the replacement of marked workers: those that do not respond first, then the oldest. False if none begins.
    /// </summary>
    public bool Begin()
    {
        var state = step.State;
        if (state.Rollout is { IsActive: true })
        {
            return false;
        }

        var due = state.SlotWorkers.Where(worker => worker.Due != ReplacementCause.None
            && worker is { IsReplaced: false, IsLive: true, RepeatedAt: null } && worker.Slot < state.Desired).ToArray();
        if (due.Length == 0)
        {
            return false;
        }

        WorkerState[] next =
        [
            .. due.OrderByDescending(worker => Urgency(worker.Due)).ThenBy(worker => worker.StartedAt)
                .Take(Math.Max(1, state.Spec.Rollout.MaxSurge) - UnderWay()),
        ];
        foreach (var worker in next)
        {
            var report = worker.Due is ReplacementCause.Unhealthy or ReplacementCause.Silent
                ? ServiceReport.WorkerUnhealthy
                : ServiceReport.WorkerRecycled;
            step.Report(report, worker, text: worker.DueText);
            step.Slots.Replace(worker.Slot);
        }

        return next.Length > 0;
    }

    /// <summary>
    /// The worker, which is no longer replaced because the new one has failed. Its watch sees another cause again; nothing sees again
    /// that it needs other limits, so this mark stays.
    /// </summary>
    public WorkerState Kept(WorkerState worker) => worker.Due == ReplacementCause.None
        ? worker with { IsReplaced = false }
        : worker with
        {
            IsReplaced = false,
            Due = worker.Due == ReplacementCause.Limits ? ReplacementCause.Limits : ReplacementCause.None,
            DueText = worker.Due == ReplacementCause.Limits ? worker.DueText : null,
            NotDueBefore = step.Now + Longer(step.State.SpecOf(worker.Generation).Restart.BackoffMax, ShortestRetry),
        };

    /// <summary>How many slots have two workers, or none where the strategy forbids two.</summary>
    private int UnderWay()
    {
        var state = step.State;
        var isMissed = state.Spec.Rollout.StopsFirst;
        return state.Slots.Count(slot => slot.Index < state.Desired
            && (state.WorkersOf(slot.Index).Any(worker => worker is { IsReplaced: true, IsLive: true })
                || (isMissed && slot.Phase != SlotPhase.Finished && !state.IsServed(slot.Index))));
    }

    private static int Urgency(ReplacementCause cause) => cause switch
    {
        ReplacementCause.None => 0,
        ReplacementCause.Age => 1,
        ReplacementCause.Memory or ReplacementCause.Limits => 2,
        ReplacementCause.Unhealthy => 3,
        ReplacementCause.Silent => 4,
        _ => throw new ArgumentOutOfRangeException(nameof(cause), cause, null),
    };

    private static TimeSpan Longer(TimeSpan one, TimeSpan other) => one > other ? one : other;
}
