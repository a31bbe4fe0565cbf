using System.Collections.Immutable;
using System.Globalization;
using Supervisor.Control;
using Supervisor.Core;
using Supervisor.Core.Services;
using Supervisor.Daemon.Reports;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Control;

/// <summary>Reports a stop until the last worker has exited. On the loop.</summary>
internal sealed class StopProgress(EventLoop loop, ServiceRunner runner, Requester by) : ChangeProgress(loop, runner)
{
    private const string AlreadyStopped = "already stopped";

    private readonly TimeSpan _began = loop.Now;
    private string _answer = "";
    private (int, int?, string?) _shown = (-1, null, null);

    /// <inheritdoc/>
    protected override string Subject => "the stop";

    /// <inheritdoc/>
    public override ChangeDocument Current() => Document(outcome: null, $"{Runner.Name}: {_answer}");

    /// <inheritdoc/>
    protected override void Request(Action<string?> onDecided)
    {
        onDecided(null);
        var before = Runner.State;
        _answer = before.IsStarted ? "" : before.Workers.IsEmpty ? AlreadyStopped : "already stopping";
        Runner.Requests.Stop(by);
        if (before.IsStarted)
        {
            _answer = Describe() + Queue();
        }

        if (!IsOver)
        {
            Update([]);
        }
    }

    /// <inheritdoc/>
    protected override void Update(ImmutableArray<ReportEffect> reports)
    {
        var state = Runner.State;
        if (state.IsStarted)
        {
            Finish(Document("superseded", $"{Runner.Name}: started again before the last worker had exited"));
        }
        else if (state.Workers.IsEmpty)
        {
            Finish(Document("done", _answer == AlreadyStopped
                ? $"{Runner.Name}: {_answer}"
                : $"{Runner.Name}: stopped after {Duration.Rounded(Loop.Now - _began)}{RolloutText.Cut(Cut)}{Queue()}"));
        }
        else if ((state.Workers.Length, Runner.Drains.Connections, DrainDocuments.Remark(Runner)) is var shown && shown != _shown)
        {
            _shown = shown;
            Report(Document(outcome: null, $"{Runner.Name}: {Describe()}"));
        }
    }

    /// <inheritdoc/>
    protected override string Describe()
    {
        var count = Runner.State.Workers.Length;
        if (count == 0)
        {
            return "stopped";
        }

        var remark = DrainDocuments.Remark(Runner) is { } text ? $"; {text}" : "";
        var connections = RolloutText.WithConnections(Runner.Drains.Connections);
        return string.Create(
            CultureInfo.InvariantCulture, $"stopping: {count} worker{(count == 1 ? "" : "s")} draining{connections}{remark}");
    }

    private string Queue() => Runner.Generations.Next.Listeners.Count == 0 ? "" : "; new connections wait in the queue";
}
