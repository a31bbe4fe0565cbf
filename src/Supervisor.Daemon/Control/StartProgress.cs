using System.Collections.Immutable;
using System.Globalization;
using Supervisor.Control;
using Supervisor.Core;
using Supervisor.Core.Services;
using Supervisor.Daemon.Reports;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Control;

/// <summary>
/// Reports a start until every worker is ready. It fails when a worker has to back off or is not started again: the daemon
/// retries, but the client learns of the failure at once. On the loop.
/// </summary>
/// <param name="loop">The loop.</param>
/// <param name="runner">The service.</param>
/// <param name="isFollowed">Whether a start is only followed that has begun or waits for other services.</param>
internal sealed class StartProgress(EventLoop loop, ServiceRunner runner, bool isFollowed = false) : ChangeProgress(loop, runner)
{
    private readonly TimeSpan _began = loop.Now;
    private string _answer = "";
    private int _shown = -1;

    /// <inheritdoc/>
    protected override string Subject => "the start";

    /// <inheritdoc/>
    public override ChangeDocument Current() => Document(outcome: null, $"{Runner.Name}: {_answer}");

    /// <inheritdoc/>
    protected override void Request(Action<string?> onDecided)
    {
        var before = Runner.State;
        var held = before.IsStarted ? before.Slots.Count(before.IsHeldBack) : 0;
        _answer = !before.IsStarted ? string.Create(CultureInfo.InvariantCulture, $"starting {Workers(before.Desired)}")
            : held > 0 ? string.Create(CultureInfo.InvariantCulture, $"retrying {Workers(held)} now")
            : before.Ready >= before.Desired ? "already running"
            : "already starting";
        if (isFollowed)
        {
            Decided(null);
            return;
        }

        Runner.Requests.Start(Decided);
        if (Runner.Generations.Waits is { } waits && !before.IsStarted)
        {
            _answer = waits;
        }

        void Decided(string? error)
        {
            onDecided(error);

            // If there is nothing to do, no change follows that would call Update.
            Loop.Post(() =>
            {
                if (!IsOver)
                {
                    Update([]);
                }
            });
        }
    }

    /// <inheritdoc/>
    protected override void Update(ImmutableArray<ReportEffect> reports)
    {
        var state = Runner.State;
        if (!state.HeldFor.IsEmpty)
        {
            return;
        }

        if (!state.IsStarted)
        {
            Finish(Document("superseded", $"{Runner.Name}: stopped before all workers were ready"));
            return;
        }

        if (reports.FirstOrDefault(
            report => report.Report is ServiceReport.SlotBackingOff or ServiceReport.SlotFinished) is { Slot: { } slot } held)
        {
            var when = held.Worker is { } last ? WorkerText.BeforeReady(last, slot.LastExit?.Text) : "";
            var next = slot.NextTry is { } at ? $"; next try in {Duration.Rounded(at - Loop.Now)}" : "";
            var ready = string.Create(CultureInfo.InvariantCulture, $"{state.Ready} of {Workers(state.Desired)} ready");
            var lines = RolloutText.LastLines(Runner.FailureLines.Of(slot.Index, slot.Generation));
            Finish(Document("failed", $"{Runner.Name}: {ready}: {ServiceDocuments.LastEnd(slot)}{when}{next}{lines}"));
            return;
        }

        var served = state.Slots.Count(slot => slot.Index < state.Desired && state.IsServed(slot.Index));
        if (served == state.Desired)
        {
            Finish(Document("done", _answer.StartsWith("already", StringComparison.Ordinal)
                ? $"{Runner.Name}: {Workers(served)} ready"
                : $"{Runner.Name}: {Workers(served)} ready after {Duration.Rounded(Loop.Now - _began)}"));
        }
        else if (served != _shown)
        {
            _shown = served;
            Report(Document(outcome: null, $"{Runner.Name}: {Describe()}"));
        }
    }

    /// <inheritdoc/>
    protected override string Describe()
    {
        if (ServiceReportText.HeldText(Runner.State) is { } held)
        {
            return held;
        }

        var served = Runner.State.Slots.Count(slot => Runner.State.IsServed(slot.Index));
        return string.Create(CultureInfo.InvariantCulture, $"starting: {served} of {Workers(Runner.State.Desired)} ready");
    }

    private static string Workers(int count) => string.Create(CultureInfo.InvariantCulture, $"{count} worker{(count == 1 ? "" : "s")}");
}
