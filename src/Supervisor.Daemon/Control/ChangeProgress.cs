using System.Collections.Immutable;
using System.Threading.Channels;
using Supervisor.Control;
using Supervisor.Core;
using Supervisor.Core.Services;
using Supervisor.Daemon.Reports;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Control;

/// <summary>
/// Reports one change of a service to a client: a document for each step, and a last one with the outcome. On the loop
/// except for <see cref="Reader"/>.
/// </summary>
internal abstract class ChangeProgress
{
    // A client that does not read loses old steps, never the outcome.
    private readonly Channel<ChangeDocument> _channel =
        Channel.CreateBounded<ChangeDocument>(
            new BoundedChannelOptions(1024) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

    private readonly TaskCompletionSource<string?> _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly long _cutBefore;
    private bool _isFollowing;

    protected ChangeProgress(EventLoop loop, ServiceRunner runner)
    {
        Loop = loop;
        Runner = runner;
        _cutBefore = runner.State.Cut;
    }

    public ChannelReader<ChangeDocument> Reader => _channel.Reader;

    protected EventLoop Loop { get; }

    protected ServiceRunner Runner { get; }

    /// <summary>Whether the outcome was reported.</summary>
    protected bool IsOver { get; private set; }

    /// <summary>How many connections of the service were cut since the change began.</summary>
    protected long Cut => Runner.State.Cut - _cutBefore;

    /// <summary>What continues when the client stops waiting: "the roll-out".</summary>
    protected abstract string Subject { get; }

    /// <summary>
    /// Begins the change and follows it. The task gives null when the change has begun, or why it cannot begin. If a slow
    /// name service delays that, <see cref="Reader"/> has what the change waits for and, in the end, the failure.
    /// </summary>
    public Task<string?> Begin()
    {
        Runner.Changed += Changed;
        Runner.Drains.AddObservers(1);
        _isFollowing = true;
        Request(error =>
        {
            if (error is not null && !IsOver)
            {
                Finish(Document("failed", $"{Runner.Name}: {error}"));
            }

            _begun.TrySetResult(error);
        });
        return _begun.Task;
    }

    /// <summary>The state of the change now.</summary>
    public virtual ChangeDocument Current() => Document(outcome: null, $"{Runner.Name}: {Describe()}");

    /// <summary>The client stops waiting; the change continues.</summary>
    public void TimeOut(TimeSpan after)
    {
        if (!IsOver)
        {
            Finish(Document("timeout", $"{Runner.Name}: not done after {Duration.Rounded(after)}: {Describe()}; {Subject} continues"));
        }
    }

    /// <summary>Stops following.</summary>
    public void End()
    {
        Runner.Changed -= Changed;
        if (_isFollowing)
        {
            _isFollowing = false;
            Runner.Drains.AddObservers(-1);
        }
    }

    /// <summary>Requests the change. <paramref name="onDecided"/> gets null when it begins, or why it cannot.</summary>
    protected abstract void Request(Action<string?> onDecided);

    /// <summary>The service has changed: reports a step or the outcome.</summary>
    protected abstract void Update(ImmutableArray<ReportEffect> reports);

    /// <summary>Why the change cannot begin: title and detail of a problem document.</summary>
    public virtual (string Title, string Detail) Refusal(string? error) =>
        ("cannot start the service", $"service \"{Runner.Name}\": cannot start: {error}");

    /// <summary>The state of the change for people, without the service's name.</summary>
    protected abstract string Describe();

    /// <summary>Reports a step.</summary>
    protected void Report(ChangeDocument document) => _channel.Writer.TryWrite(document);

    /// <summary>Reports the outcome.</summary>
    protected void Finish(ChangeDocument document)
    {
        IsOver = true;
        End();
        _channel.Writer.TryWrite(document);
        _channel.Writer.TryComplete();
    }

    protected ChangeDocument Document(string? outcome, string message, RolloutDocument? rollout = null) =>
        new(Runner.Name, outcome, rollout, message)
        {
            State = ServiceDocuments.State(Runner),
            Desired = Runner.State.Desired,
            Ready = Runner.State.Ready,
            Workers = Runner.State.Workers.Length,
            DrainingConnections = Runner.Drains.Connections,
            Cut = Cut,
        };

    private void Changed(ServiceRunner runner, ImmutableArray<ReportEffect> reports)
    {
        if (!IsOver && _begun.Task.IsCompleted)
        {
            Update(reports);
        }
    }
}
