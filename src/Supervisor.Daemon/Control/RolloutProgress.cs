using System.Collections.Immutable;
using Supervisor.Control;
using Supervisor.Core.Services;
using Supervisor.Daemon.Reports;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Control;

/// <summary>Reports a roll-out. On the loop.</summary>
internal class RolloutProgress(EventLoop loop, ServiceRunner runner) : ChangeProgress(loop, runner)
{
    /// <summary>The generation that is rolled out; a restart sets it when it begins.</summary>
    private int _generation = runner.State.Rollout?.To ?? 0;
    private RolloutState? _last;
    private (RolloutPhase, int, int, int?, string?) _shown;

    /// <inheritdoc/>
    protected override string Subject => "the roll-out";

    /// <inheritdoc/>
    public override ChangeDocument Current() => Document(outcome: null);

    /// <inheritdoc/>
    protected override void Request(Action<string?> onDecided) => Runner.Requests.Restart(error =>
    {
        _generation = Runner.State.NewestGeneration + 1;
        onDecided(error);
    });

    /// <summary>
    /// After a request that changes the present roll-out at once. It may also have ended it, and then perhaps no change follows that
    /// would call <see cref="Update"/>.
    /// </summary>
    protected void Decide(string? error, Action<string?> onDecided)
    {
        onDecided(error);
        if (Runner.State.Rollout is { IsActive: false } && !IsOver)
        {
            Update([]);
        }
    }

    /// <inheritdoc/>
    protected override void Update(ImmutableArray<ReportEffect> reports)
    {
        // A superseded roll-out is no longer in the state: its end is among the reports.
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
            Finish(Document(Outcome(mine.Phase)));
            return;
        }

        var document = Document(outcome: null);
        var rollout = document.Rollout!;
        var shown = (mine.Phase, rollout.Replaced, rollout.Draining, rollout.DrainingConnections, mine.IsOnTrial ? null : rollout.Waits);
        if (shown != _shown)
        {
            _shown = shown;
            Report(document);
        }
    }

    /// <summary>The outcome of the change for the last phase of the roll-out.</summary>
    protected virtual string Outcome(RolloutPhase phase) => phase.ToWireName();

    /// <inheritdoc/>
    protected override string Describe() => Rollout() is { } rollout ? rollout.ToText() : Runner.Generations.Waits ?? "waiting";

    private ChangeDocument Document(string? outcome) => Document(outcome, $"{Runner.Name}: {Describe()}", Rollout());

    private RolloutDocument? Rollout() =>
        (_last ?? Runner.State.Rollout) is { } state ? ServiceDocuments.Rollout(Runner, state, Loop.Now, Loop.Time.GetUtcNow()) : null;
}
