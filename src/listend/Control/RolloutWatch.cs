using System.Collections.Immutable;
using System.Globalization;
using Supervisor.Control;
using Supervisor.Core;
using Supervisor.Core.Rollouts;
using Supervisor.Core.Services;
using Supervisor.Linux;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Control;

/// <summary>Follows one roll-out. On the loop.</summary>
internal sealed class RolloutWatch(EventLoop loop, ServiceRunner runner) : ChangeWatch(loop, runner)
{
    private readonly int _generation = runner.State.NewestGeneration + 1;
    private RolloutState? _last;
    private (RolloutPhase, int, int) _shown;

    /// <inheritdoc/>
    protected override string Subject => "the roll-out";

    /// <inheritdoc/>
    public override ChangeDocument Current() => Document(outcome: null);

    /// <inheritdoc/>
    protected override bool Ask(out string? error) => Runner.Restart(out error);

    /// <inheritdoc/>
    protected override void Look(ImmutableArray<ReportEffect> reports)
    {
        // A roll-out that a further one has replaced is not in the state any more: its end is among the reports.
        var mine = Runner.State.Rollout?.To == _generation
            ? Runner.State.Rollout
            : reports.Select(report => report.Rollout).LastOrDefault(rollout => rollout?.To == _generation);
        if (mine is null)
        {
            return;
        }

        _last = mine;
        if (!mine.IsActive)
        {
            Finish(Document(mine.Phase switch
            {
                RolloutPhase.Done => "done",
                RolloutPhase.RolledBack => "rolled-back",
                RolloutPhase.Superseded => "superseded",
                _ => "failed",
            }));
            return;
        }

        var document = Document(outcome: null);
        var shown = (mine.Phase, document.Rollout!.Replaced, document.Rollout.Draining);
        if (shown != _shown)
        {
            _shown = shown;
            Say(document);
        }
    }

    /// <inheritdoc/>
    protected override string Describe()
    {
        var rollout = Rollout();
        return rollout is null
            ? "waiting"
            : string.Create(CultureInfo.InvariantCulture, $"{rollout.State}, generation {rollout.To}: {rollout.Replaced} of {rollout.Total} replaced{(rollout.Draining > 0 ? $", {rollout.Draining} leaving" : "")}{(rollout.Reason is null ? "" : $": {rollout.Reason}")}");
    }

    private ChangeDocument Document(string? outcome)
    {
        var rollout = Rollout();
        var elapsed = Durations.Text(TimeSpan.FromMilliseconds(rollout?.ElapsedMs ?? 0));
        return Document(
            outcome,
            outcome switch
            {
                "done" => string.Create(CultureInfo.InvariantCulture, $"{Runner.Name}: generation {rollout!.To} serves, {rollout.Total} workers replaced in {elapsed}"),
                "rolled-back" => $"{Runner.Name}: rolled back to generation {rollout!.From} after {elapsed}: {rollout.Reason}",
                "superseded" => $"{Runner.Name}: superseded after {elapsed}: {rollout!.Reason}",
                "failed" => $"{Runner.Name}: failed after {elapsed}: {rollout!.Reason}",
                _ => $"{Runner.Name}: {Describe()}",
            },
            rollout);
    }

    private RolloutDocument? Rollout() => (_last ?? Runner.State.Rollout) is { } state ? Documents.Rollout(Runner.State, state, Loop.Now) : null;
}
