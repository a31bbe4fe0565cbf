using System.Collections.Immutable;
using Supervisor.Core.Services;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Control;

/// <summary>
/// Reports a roll-out that a reload has begun. A canary that waits for <c>promote</c> is an outcome: nobody may be there to promote it.
/// On the loop.
/// </summary>
internal sealed class RolloutFollow(EventLoop loop, ServiceRunner runner) : RolloutProgress(loop, runner)
{
    /// <inheritdoc/>
    protected override void Request(Action<string?> onDecided)
    {
        onDecided(null);

        // A roll-out that already waits does not change any more.
        Loop.Post(() =>
        {
            if (!IsOver)
            {
                Update([]);
            }
        });
    }

    /// <inheritdoc/>
    protected override void Update(ImmutableArray<ReportEffect> reports)
    {
        base.Update(reports);
        if (!IsOver && Runner.State.Rollout is { IsOnTrial: true, PromotedAt: null })
        {
            Finish(Current() with { Outcome = "canary" });
        }
    }
}
