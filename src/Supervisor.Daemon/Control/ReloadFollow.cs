using System.Buffers;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Supervisor.Control;

namespace Supervisor.Daemon.Control;

/// <summary>
/// Answers a reload with <c>wait</c>: a document for each step of a roll-out that is in progress and of a service that it has started,
/// then the document of the reload with all outcomes.
/// </summary>
internal sealed class ReloadFollow(ControlContext daemon, CancellationToken stopping)
{
    /// <summary>Streams the steps and the outcome. The roll-outs continue when the client stops reading.</summary>
    /// <param name="context">The request.</param>
    /// <param name="document">The reload, which was applied.</param>
    /// <param name="changes">What <see cref="Begin"/> follows.</param>
    /// <param name="timeout">For how long to wait; null without end.</param>
    public async Task RunAsync(
        HttpContext context, ReloadDocument document, List<ChangeProgress> changes, TimeSpan? timeout)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        await using var timer = timeout is { } limit
            ? new Timer(
                _ => daemon.Loop.Post(() => changes.ForEach(change => change.TimeOut(limit))), null, limit, Timeout.InfiniteTimeSpan)
            : null;
        try
        {
            context.Response.ContentType = "application/x-ndjson";
            await context.Response.StartAsync(end.Token);
            var outcomes = new List<ChangeDocument>();
            foreach (var change in changes)
            {
                outcomes.Add(await FollowAsync(context, change, end.Token));
            }

            await WriteAsync(context, ControlJson.Default.ReloadDocument, WithOutcome(document, outcomes), end.Token);
        }
        catch (OperationCanceledException)
        {
            // The client has closed the connection, or the daemon stops: the stream ends here.
        }
        finally
        {
            daemon.Loop.Post(() => changes.ForEach(change => change.End()));
        }
    }

    /// <summary>Begins to follow what the reload, or an earlier one, has begun. On the loop.</summary>
    public List<ChangeProgress> Begin(ReloadDocument document)
    {
        var started = document.Actions.Where(action => action is { Subject: "service", Action: "started" }).Select(action => action.Name)
            .ToHashSet(StringComparer.Ordinal);
        var changes = new List<ChangeProgress>();
        foreach (var runner in daemon.Services)
        {
            if (runner.State.Rollout is { IsActive: true })
            {
                changes.Add(new RolloutFollow(daemon.Loop, runner));
            }
            else if (started.Contains(runner.Name) && (runner.State.IsStarted || !runner.State.HeldFor.IsEmpty))
            {
                changes.Add(new StartProgress(daemon.Loop, runner, isFollowed: true));
            }
        }

        changes.ForEach(change => change.Begin());
        return changes;
    }

    private static async Task<ChangeDocument> FollowAsync(HttpContext context, ChangeProgress change, CancellationToken end)
    {
        while (true)
        {
            var step = await change.Reader.ReadAsync(end);

            // The steps of one service are sent after those of the other: only its newest is of interest then.
            if (step.Outcome is not null || change.Reader.Count == 0)
            {
                await WriteAsync(context, ControlJson.Default.ChangeDocument, step, end);
            }

            if (step.Outcome is not null)
            {
                return step;
            }
        }
    }

    private static ReloadDocument WithOutcome(ReloadDocument document, List<ChangeDocument> outcomes)
    {
        var failed = outcomes.Find(outcome => outcome.Outcome is not ("done" or "canary"));
        return document with
        {
            Outcome = failed is null ? "done" : failed.Outcome == "timeout" ? "timeout" : "failed",
            Rollouts = outcomes,
            Message = failed is null ? document.Message : $"{document.Message}; {failed.Message}",
        };
    }

    private static async Task WriteAsync<T>(
        HttpContext context, JsonTypeInfo<T> type, T document, CancellationToken end)
    {
        Answer.Write(context.Response.BodyWriter, document, type);
        context.Response.BodyWriter.Write("\n"u8);
        await context.Response.BodyWriter.FlushAsync(end);
    }
}
