using System.Collections.Immutable;
using System.Globalization;
using Supervisor.Control;
using Supervisor.Core;
using Supervisor.Core.Services;
using Supervisor.Linux;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Control;

/// <summary>
/// Follows a start until every worker is ready. It has failed when a worker has to wait before its next try or gets
/// none: the daemon goes on trying, but whoever waits is told at once and not after the last back-off. On the loop.
/// </summary>
internal sealed class ServiceStartWatch(EventLoop loop, ServiceRunner runner) : ChangeWatch(loop, runner)
{
    private readonly TimeSpan _began = loop.Now;
    private string _answer = "";
    private int _shown = -1;

    /// <inheritdoc/>
    protected override string Subject => "the start";

    /// <inheritdoc/>
    public override ChangeDocument Current() => Document(outcome: null, $"{Runner.Name}: {_answer}");

    /// <inheritdoc/>
    protected override void Ask(Action<string?> onDecided)
    {
        var before = Runner.State;
        var held = before.IsStarted ? before.Slots.Count(before.IsHeldBack) : 0;
        _answer = !before.IsStarted ? string.Create(CultureInfo.InvariantCulture, $"starting {Workers(before.Desired)}")
            : held > 0 ? string.Create(CultureInfo.InvariantCulture, $"{Workers(held)} tried again at once")
            : before.Ready >= before.Desired ? "is running already"
            : "is starting already";
        Runner.Start(error =>
        {
            onDecided(error);

            // Where nothing was to be done, nothing changes that could be looked at.
            Loop.Post(() =>
            {
                if (!IsOver)
                {
                    Look([]);
                }
            });
        });
        if (Runner.Waits is { } waits && !before.IsStarted)
        {
            _answer = waits;
        }
    }

    /// <inheritdoc/>
    protected override void Look(ImmutableArray<ReportEffect> reports)
    {
        var state = Runner.State;
        if (!state.IsStarted)
        {
            Finish(Document("superseded", $"{Runner.Name}: stopped before all workers were ready"));
            return;
        }

        if (reports.FirstOrDefault(report => report.Report is ServiceReport.SlotBackingOff or ServiceReport.SlotFinished) is { Slot: { } slot } held)
        {
            var when = held.Worker is { } last ? WorkerText.BeforeReady(last) : "";
            var next = slot.NextTry is { } at ? $"; next try in {Durations.Text(at - Loop.Now)}" : "";
            Finish(Document("failed", string.Create(
                CultureInfo.InvariantCulture, $"{Runner.Name}: {state.Ready} of {Workers(state.Desired)} ready: {Documents.LastEnd(slot)}{when}{next}")));
            return;
        }

        var ready = state.Slots.Count(slot => slot.Index < state.Desired && state.IsServed(slot.Index));
        if (ready == state.Desired)
        {
            Finish(Document("done", _answer.EndsWith("already", StringComparison.Ordinal)
                ? $"{Runner.Name}: {Workers(ready)} ready"
                : $"{Runner.Name}: {Workers(ready)} ready after {Durations.Text(Loop.Now - _began)}"));
        }
        else if (ready != _shown)
        {
            _shown = ready;
            Say(Document(outcome: null, $"{Runner.Name}: {Describe()}"));
        }
    }

    /// <inheritdoc/>
    protected override string Describe() =>
        string.Create(CultureInfo.InvariantCulture, $"starting: {Runner.State.Slots.Count(slot => Runner.State.IsServed(slot.Index))} of {Workers(Runner.State.Desired)} ready");

    private static string Workers(int count) => string.Create(CultureInfo.InvariantCulture, $"{count} worker{(count == 1 ? "" : "s")}");
}
