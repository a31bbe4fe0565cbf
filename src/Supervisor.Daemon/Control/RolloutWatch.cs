using System.Collections.Immutable;
using System.Globalization;
using Supervisor.Control;
using Supervisor.Core;
using Supervisor.Core.Services;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Control;

/// <summary>Follows one roll-out. On the loop.</summary>
internal class RolloutWatch(EventLoop loop, ServiceRunner runner) : ChangeWatch(loop, runner)
{
    /// <summary>The generation that is rolled out; of a restart, once it begins.</summary>
    private int _generation = runner.State.Rollout?.To ?? 0;
    private RolloutState? _last;
    private (RolloutPhase, int, int, int?, string?) _shown;

    /// <inheritdoc/>
    protected override string Subject => "the roll-out";

    /// <inheritdoc/>
    public override ChangeDocument Current() => Document(outcome: null);

    /// <inheritdoc/>
    protected override void Ask(Action<string?> onDecided) => Runner.Restart(error =>
    {
        _generation = Runner.State.NewestGeneration + 1;
        onDecided(error);
    });

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
            Finish(Document(Outcome(mine.Phase)));
            return;
        }

        var document = Document(outcome: null);
        var shown = (mine.Phase, document.Rollout!.Replaced, document.Rollout.Draining, document.Rollout.DrainingConnections, mine.IsOnTrial ? null : document.Rollout.Waits);
        if (shown != _shown)
        {
            _shown = shown;
            Say(document);
        }
    }

    /// <summary>The outcome of the change when the roll-out has ended so.</summary>
    protected virtual string Outcome(RolloutPhase phase) => phase.ToWireName();

    /// <inheritdoc/>
    protected override string Describe() => Rollout() is { } rollout ? rollout.ToText() : Runner.Waits ?? "waiting";

    private ChangeDocument Document(string? outcome) => Document(outcome, $"{Runner.Name}: {Describe()}", Rollout());

    private RolloutDocument? Rollout() =>
        (_last ?? Runner.State.Rollout) is { } state ? Documents.Rollout(Runner, state, Loop.Now, Loop.Time.GetUtcNow()) : null;
}
