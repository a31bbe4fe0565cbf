using System.Collections.Immutable;
using System.Globalization;
using Supervisor.Core;
using Supervisor.Core.Services;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Control;

/// <summary>Reports the replacement of the worker of one slot. On the loop.</summary>
internal sealed class SlotProgress(EventLoop loop, ServiceRunner runner, int slot) : ChangeProgress(loop, runner)
{
    private readonly TimeSpan _began = loop.Now;
    private int _firstNew;
    private string? _shown;

    /// <inheritdoc/>
    protected override string Subject => "the replacement";

    private IEnumerable<WorkerState> Old => Runner.State.Workers.Where(worker => worker.Slot == slot && worker.Id < _firstNew);

    private IEnumerable<WorkerState> New => Runner.State.Workers.Where(worker => worker.Slot == slot && worker.Id >= _firstNew);

    /// <inheritdoc/>
    public override (string Title, string Detail) Refusal(string? error) =>
        ("cannot replace the worker", $"service \"{Runner.Name}\": {error}");

    /// <inheritdoc/>
    protected override void Request(Action<string?> onDecided)
    {
        _firstNew = Runner.State.NextWorkerId;
        onDecided(Runner.Requests.Replace(slot));
    }

    /// <inheritdoc/>
    protected override void Update(ImmutableArray<ReportEffect> reports)
    {
        if (!Runner.State.IsStarted || slot >= Runner.State.Desired)
        {
            Finish(Document("superseded", $"{Runner.Name}: the slot is stopped"));
        }
        else if (Old.Any(worker => worker is { IsLive: true, IsReplaced: false }))
        {
            var failed = Runner.State.Slots[slot];
            Finish(Document("failed", Text($"was not replaced, and continues: the new worker {failed.LastExit?.Text}"
                + RolloutText.LastLines(Runner.FailureLines.Of(slot, failed.Generation)))));
        }
        else if (!Old.Any() && New.Any(worker => worker.Phase == WorkerPhase.Ready))
        {
            Finish(Document("done", Text($"replaced in {Duration.Rounded(Loop.Now - _began)}{RolloutText.Cut(Cut)}")));
        }
        else if (Describe() is var text && text != _shown)
        {
            _shown = text;
            Report(Document(outcome: null, $"{Runner.Name}: {text}"));
        }
    }

    /// <inheritdoc/>
    protected override string Describe() => string.Create(
        CultureInfo.InvariantCulture,
        $"worker {slot}: {(New.Any(worker => worker.Phase == WorkerPhase.Ready) ? "replaced, the old worker drains"
            : Old.Any() ? "waiting for the new worker" : "starting")}{RolloutText.WithConnections(Runner.Drains.Connections)}");

    private string Text(string what) => string.Create(CultureInfo.InvariantCulture, $"{Runner.Name}: worker {slot} {what}");
}
