using System.Collections.Immutable;
using System.Globalization;
using Supervisor.Control;
using Supervisor.Core;
using Supervisor.Core.Services;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Control;

/// <summary>Follows a stop until the last worker is gone. On the loop.</summary>
internal sealed class ServiceStopWatch(EventLoop loop, ServiceRunner runner) : ChangeWatch(loop, runner)
{
    private readonly TimeSpan _began = loop.Now;
    private string _answer = "";
    private (int, int?, string?) _shown = (-1, null, null);

    /// <inheritdoc/>
    protected override string Subject => "the stop";

    /// <inheritdoc/>
    public override ChangeDocument Current() => Document(outcome: null, $"{Runner.Name}: {_answer}");

    /// <inheritdoc/>
    protected override void Ask(Action<string?> onDecided)
    {
        onDecided(null);
        var before = Runner.State;
        _answer = before.IsStarted ? "" : before.Workers.IsEmpty ? "is stopped already" : "is stopping already";
        Runner.Post(new StopRequested());
        if (before.IsStarted)
        {
            _answer = Describe() + Queue();
        }

        if (!IsOver)
        {
            Look([]);
        }
    }

    /// <inheritdoc/>
    protected override void Look(ImmutableArray<ReportEffect> reports)
    {
        var state = Runner.State;
        if (state.IsStarted)
        {
            Finish(Document("superseded", $"{Runner.Name}: started again before the last worker had left"));
        }
        else if (state.Workers.IsEmpty)
        {
            Finish(Document("done", _answer == "is stopped already"
                ? $"{Runner.Name}: {_answer}"
                : $"{Runner.Name}: stopped after {Durations.Text(Loop.Now - _began)}{Queue()}"));
        }
        else if ((state.Workers.Length, Runner.DrainingConnections, Drains.Remark(Runner)) is var shown && shown != _shown)
        {
            _shown = shown;
            Say(Document(outcome: null, $"{Runner.Name}: {Describe()}"));
        }
    }

    /// <inheritdoc/>
    protected override string Describe() => Runner.State.Workers.Length switch
    {
        0 => "stopped",
        var left => string.Create(CultureInfo.InvariantCulture, $"stopping: {left} worker{(left == 1 ? "" : "s")} draining{RolloutText.WithConnections(Runner.DrainingConnections)}{(Drains.Remark(Runner) is { } remark ? $"; {remark}" : "")}"),
    };

    private string Queue() => Runner.Listeners.Count == 0 ? "" : "; new connections wait in the queue";
}
