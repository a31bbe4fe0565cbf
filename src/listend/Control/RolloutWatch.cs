using System.Collections.Immutable;
using System.Globalization;
using System.Threading.Channels;
using Supervisor.Control;
using Supervisor.Core;
using Supervisor.Core.Rollouts;
using Supervisor.Core.Services;
using Supervisor.Linux;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Control;

/// <summary>Follows one roll-out for a client: a document for each change, the last one with the outcome. On the loop but for <see cref="Reader"/>.</summary>
internal sealed class RolloutWatch
{
    private readonly EventLoop _loop;
    private readonly Channel<RestartDocument> _channel =
        Channel.CreateBounded<RestartDocument>(new BoundedChannelOptions(1024) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

    private ServiceRunner? _runner;
    private int _generation;
    private RolloutState? _last;
    private (RolloutPhase, int, int) _shown;
    private bool _ended;

    public RolloutWatch(EventLoop loop) => _loop = loop;

    public ChannelReader<RestartDocument> Reader => _channel.Reader;

    /// <summary>Begins the restart; false with the reason where it cannot begin.</summary>
    public bool Begin(ServiceRunner runner, out string? error)
    {
        _runner = runner;
        _generation = runner.State.NewestGeneration + 1;
        runner.Changed += Changed;
        return runner.Restart(out error);
    }

    /// <summary>How it stands.</summary>
    public RestartDocument Current() => Document(outcome: null);

    /// <summary>The client waits no longer; the roll-out goes on.</summary>
    public void TimeOut(TimeSpan after)
    {
        if (!_ended)
        {
            Finish(Document("timeout") with { Message = $"{_runner!.Name}: still {Describe()} after {Durations.Text(after)}; the roll-out goes on" });
        }
    }

    /// <summary>Follows no longer.</summary>
    public void End()
    {
        if (_runner is not null)
        {
            _runner.Changed -= Changed;
        }
    }

    private void Changed(ServiceRunner runner, ImmutableArray<ReportEffect> reports)
    {
        if (_ended)
        {
            return;
        }

        // A roll-out that a further one has replaced is not in the state any more: its end is among the reports.
        var mine = reports.Select(report => report.Rollout).LastOrDefault(rollout => rollout?.To == _generation)
            ?? (runner.State.Rollout?.To == _generation ? runner.State.Rollout : null);
        if (runner.State.Rollout?.To == _generation)
        {
            mine = runner.State.Rollout;
        }

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
            _channel.Writer.TryWrite(document);
        }
    }

    private void Finish(RestartDocument document)
    {
        _ended = true;
        End();
        _channel.Writer.TryWrite(document);
        _channel.Writer.TryComplete();
    }

    private RestartDocument Document(string? outcome)
    {
        var rollout = (_last ?? _runner!.State.Rollout) is { } state ? Documents.Rollout(_runner!.State, state, _loop.Now) : null;
        var elapsed = Durations.Text(TimeSpan.FromMilliseconds(rollout?.ElapsedMs ?? 0));
        var message = outcome switch
        {
            "done" => string.Create(CultureInfo.InvariantCulture, $"{_runner!.Name}: generation {rollout!.To} serves, {rollout.Total} workers replaced in {elapsed}"),
            "rolled-back" => $"{_runner!.Name}: rolled back to generation {rollout!.From} after {elapsed}: {rollout.Reason}",
            "superseded" => $"{_runner!.Name}: superseded after {elapsed}: {rollout!.Reason}",
            "failed" => $"{_runner!.Name}: failed after {elapsed}: {rollout!.Reason}",
            _ => $"{_runner!.Name}: {Describe()}",
        };
        return new RestartDocument(_runner.Name, outcome, rollout, message);
    }

    private string Describe()
    {
        var rollout = (_last ?? _runner!.State.Rollout) is { } state ? Documents.Rollout(_runner!.State, state, _loop.Now) : null;
        return rollout is null
            ? "waiting"
            : string.Create(CultureInfo.InvariantCulture, $"{rollout.State}, generation {rollout.To}: {rollout.Replaced} of {rollout.Total} replaced{(rollout.Draining > 0 ? $", {rollout.Draining} leaving" : "")}{(rollout.Reason is null ? "" : $": {rollout.Reason}")}");
    }
}
