using System.Collections.Immutable;
using System.Threading.Channels;
using Supervisor.Control;
using Supervisor.Core;
using Supervisor.Core.Services;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Control;

/// <summary>
/// Follows one change of a service for a client: a document for each step, the last one with the outcome. On the loop
/// but for <see cref="Reader"/>.
/// </summary>
internal abstract class ChangeWatch
{
    // A client that does not read gets the newest steps, and the outcome for certain.
    private readonly Channel<ChangeDocument> _channel =
        Channel.CreateBounded<ChangeDocument>(new BoundedChannelOptions(1024) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

    private readonly TaskCompletionSource<string?> _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isFollowing;

    protected ChangeWatch(EventLoop loop, ServiceRunner runner)
    {
        Loop = loop;
        Runner = runner;
    }

    public ChannelReader<ChangeDocument> Reader => _channel.Reader;

    protected EventLoop Loop { get; }

    protected ServiceRunner Runner { get; }

    /// <summary>Whether the outcome is there.</summary>
    protected bool IsOver { get; private set; }

    /// <summary>What the service goes on with when the client waits no longer: "the roll-out", say.</summary>
    protected abstract string Subject { get; }

    /// <summary>
    /// Begins the change and follows it. The task has null once it has begun, or why it cannot begin. Where that takes
    /// long, because a name service is slow, <see cref="Reader"/> tells what is waited for and, in the end, that it failed.
    /// </summary>
    public Task<string?> Begin()
    {
        Runner.Changed += Changed;
        Runner.FollowDrains(1);
        _isFollowing = true;
        Ask(error =>
        {
            if (error is not null && !IsOver)
            {
                Finish(Document("failed", $"{Runner.Name}: {error}"));
            }

            _begun.TrySetResult(error);
        });
        return _begun.Task;
    }

    /// <summary>How it stands.</summary>
    public virtual ChangeDocument Current() => Document(outcome: null, $"{Runner.Name}: {Describe()}");

    /// <summary>The client waits no longer; the change goes on.</summary>
    public void TimeOut(TimeSpan after)
    {
        if (!IsOver)
        {
            Finish(Document("timeout", $"{Runner.Name}: not done after {Durations.Text(after)}: {Describe()}; {Subject} goes on"));
        }
    }

    /// <summary>Follows no longer.</summary>
    public void End()
    {
        Runner.Changed -= Changed;
        if (_isFollowing)
        {
            _isFollowing = false;
            Runner.FollowDrains(-1);
        }
    }

    /// <summary>Asks the runner for the change. <paramref name="onDecided"/> is told null when it begins, or why it cannot.</summary>
    protected abstract void Ask(Action<string?> onDecided);

    /// <summary>The service has changed.</summary>
    protected abstract void Look(ImmutableArray<ReportEffect> reports);

    /// <summary>Why the change could not begin: a title, and the whole of it.</summary>
    public virtual (string Title, string Detail) Refusal(string? error) => ("the service cannot be started now", $"service \"{Runner.Name}\" cannot be started: {error}");

    /// <summary>How it stands, for people, without the service's name.</summary>
    protected abstract string Describe();

    /// <summary>Says a step.</summary>
    protected void Say(ChangeDocument document) => _channel.Writer.TryWrite(document);

    /// <summary>Says the outcome.</summary>
    protected void Finish(ChangeDocument document)
    {
        IsOver = true;
        End();
        _channel.Writer.TryWrite(document);
        _channel.Writer.TryComplete();
    }

    protected ChangeDocument Document(string? outcome, string message, RolloutDocument? rollout = null) => new(Runner.Name, outcome, rollout, message)
    {
        State = Documents.State(Runner),
        Desired = Runner.State.Desired,
        Ready = Runner.State.Ready,
        Workers = Runner.State.Workers.Length,
        DrainingConnections = Runner.DrainingConnections,
    };

    private void Changed(ServiceRunner runner, ImmutableArray<ReportEffect> reports)
    {
        if (!IsOver && _begun.Task.IsCompleted)
        {
            Look(reports);
        }
    }
}
