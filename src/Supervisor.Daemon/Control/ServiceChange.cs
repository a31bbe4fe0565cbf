using Microsoft.AspNetCore.Http;
using Supervisor.Control;
using Supervisor.Core;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Control;

/// <summary>Begins a change of a service for a client, and reports its progress.</summary>
internal sealed class ServiceChange(ControlContext daemon, CancellationToken stopping)
{
    /// <summary>For how long the answer waits for a name service before it says what the change waits for.</summary>
    private static readonly TimeSpan RefusedWithin = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Answers 202 with the state of the change or, with <c>wait</c>, with its steps until the outcome; 409 with the reason if it
    /// cannot begin.
    /// </summary>
    /// <param name="context">The request.</param>
    /// <param name="verb">The change's name, for those who read later who requested what.</param>
    /// <param name="create">Creates the change of a service, without beginning it, for a requester. On the loop.</param>
    public async Task RunAsync(HttpContext context, string verb, Func<ServiceRunner, Requester, ChangeProgress> create)
    {
        if (!RequestParameters.TryTimeout(context.Request, out var timeout, out var wrong))
        {
            await Answer.BadRequest(context, wrong);
            return;
        }

        var (progress, current, problem) = await BeginAsync(context, verb, create);
        if (progress is null)
        {
            await (problem is { } why
                ? Answer.Problem(context, StatusCodes.Status409Conflict, why.Title, why.Detail)
                : Answer.NoService(context, daemon));
            return;
        }

        try
        {
            if (RequestParameters.IsSet(context.Request, "wait"))
            {
                await FollowAsync(context, progress, timeout);
                return;
            }

            context.Response.StatusCode = StatusCodes.Status202Accepted;
            await Answer.Json(context, current!, ControlJson.Default.ChangeDocument);
        }
        finally
        {
            daemon.Loop.Post(progress.End);
        }
    }

    /// <summary>
    /// The progress of a change that has begun, with its first document; otherwise the problem, or nothing for an unknown service.
    /// </summary>
    private async Task<(ChangeProgress?, ChangeDocument?, (string Title, string Detail)?)> BeginAsync(
        HttpContext context, string verb, Func<ServiceRunner, Requester, ChangeProgress> create)
    {
        var name = Answer.Name(context);
        var by = ClientCredentials.Requester(context);
        var (progress, begun, problem) = await daemon.Loop.Ask<(ChangeProgress?, Task<string?>?, (string, string)?)>(() =>
        {
            if (daemon.Services.Find(name) is not { } runner)
            {
                return (null, null, null);
            }

            var change = create(runner, by);
            if (daemon.Lifecycle.IsStopRequested && change is not StopProgress)
            {
                return (null, null, ("listend stops", "listend stops: it starts no workers anymore"));
            }

            daemon.Requests.OfService(name, verb, by);
            return (change, change.Begin(), null);
        });
        if (progress is null)
        {
            return (null, null, problem);
        }

        // A refusal that comes later is the outcome of the change.
        await Task.WhenAny(begun!, Task.Delay(RefusedWithin, context.RequestAborted));
        var refused = begun!.IsCompletedSuccessfully ? await begun : null;
        return await daemon.Loop.Ask<(ChangeProgress?, ChangeDocument?, (string, string)?)>(
            () => refused is null ? (progress, progress.Current(), null) : (null, null, progress.Refusal(refused)));
    }

    private async Task FollowAsync(HttpContext context, ChangeProgress progress, TimeSpan? timeout)
    {
        await using var timer = timeout is { } duration
            ? new Timer(_ => daemon.Loop.Post(() => progress.TimeOut(duration)), null, duration, Timeout.InfiniteTimeSpan)
            : null;
        await Answer.Stream(
            context, progress.Reader, ControlJson.Default.ChangeDocument, document => document.Outcome is not null, stopping);
    }
}
