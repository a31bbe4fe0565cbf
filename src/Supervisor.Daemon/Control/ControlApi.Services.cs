using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Supervisor.Control;
using Supervisor.Core.Services;
using Supervisor.Core.Workers;
using Supervisor.Daemon.Model;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Control;

/// <summary>What changes a service: start, stop, restart, promote, abort, scale, signal.</summary>
internal sealed partial class ControlApi
{
    private const int MaxWorkers = 10_000;

    /// <summary>For how long a change's answer waits for a name service before it says what the change waits for.</summary>
    private static readonly TimeSpan RefusedWithin = TimeSpan.FromSeconds(1);

    private void MapServices(WebApplication application)
    {
        application.MapPost("/v1/services/{name}/start", context => Change(context, runner => new ServiceStartWatch(_daemon.Loop, runner)));
        application.MapPost("/v1/services/{name}/stop", context => Change(context, runner => new ServiceStopWatch(_daemon.Loop, runner)));
        application.MapPost("/v1/services/{name}/restart", context => Change(
            context,
            runner => runner.State.IsStarted ? new RolloutWatch(_daemon.Loop, runner) : new ServiceStartWatch(_daemon.Loop, runner)));
        application.MapPost("/v1/services/{name}/promote", context => Change(context, runner => new PromoteWatch(_daemon.Loop, runner)));
        application.MapPost("/v1/services/{name}/abort", context => Change(context, runner => new AbortWatch(_daemon.Loop, runner)));
        application.MapPost("/v1/services/{name}/scale", Scale);
        application.MapPost("/v1/services/{name}/signal", Signal);
    }

    /// <summary>Begins a change; 202 with how it stands, or, with <c>wait</c>, its steps up to the outcome.</summary>
    private async Task Change(HttpContext context, Func<ServiceRunner, ChangeWatch> follow)
    {
        if (!await MayChange(context))
        {
            return;
        }

        var name = Name(context);
        var wait = RequestParameters.IsSet(context.Request, "wait");
        TimeSpan? timeout = null;
        if (context.Request.Query["timeout_ms"] is [{ Length: > 0 } text])
        {
            if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds) || milliseconds > int.MaxValue)
            {
                await BadRequest(context, $"timeout_ms \"{text}\" is no number of milliseconds");
                return;
            }

            timeout = TimeSpan.FromMilliseconds(milliseconds);
        }

        var (watch, begun, problem) = await _daemon.Loop.Ask<(ChangeWatch?, Task<string?>?, (string Title, string Detail)?)>(() =>
        {
            if (Find(name) is not { } runner)
            {
                return (null, null, null);
            }

            var watch = follow(runner);
            return _daemon.Lifecycle.IsShuttingDown && watch is not ServiceStopWatch
                ? (null, null, ("the service cannot be started now", "listend is leaving: nothing is started any more"))
                : (watch, watch.Begin(), null);
        });
        ChangeDocument? current = null;
        if (watch is { } started)
        {
            // A refusal that comes later is the change's outcome.
            await Task.WhenAny(begun!, Task.Delay(RefusedWithin, context.RequestAborted));
            var refused = begun!.IsCompletedSuccessfully ? await begun : null;
            (watch, current, problem) = await _daemon.Loop.Ask<(ChangeWatch?, ChangeDocument?, (string Title, string Detail)?)>(
                () => refused is null ? (started, started.Current(), null) : (null, null, started.Refusal(refused)));
        }

        if (watch is null)
        {
            await (problem is { } why ? Problem(context, StatusCodes.Status409Conflict, why.Title, why.Detail) : NoService(context, name));
            return;
        }

        try
        {
            if (!wait)
            {
                context.Response.StatusCode = StatusCodes.Status202Accepted;
                await Json(context, current!, ControlJson.Default.ChangeDocument);
                return;
            }

            await using var timer = timeout is { } duration
                ? new Timer(_ => _daemon.Loop.Post(() => watch.TimeOut(duration)), null, duration, Timeout.InfiniteTimeSpan)
                : null;
            await Stream(context, watch.Reader, ControlJson.Default.ChangeDocument, document => document.Outcome is not null);
        }
        finally
        {
            _daemon.Loop.Post(watch.End);
        }
    }

    private async Task Scale(HttpContext context)
    {
        if (!await MayChange(context))
        {
            return;
        }

        var text = context.Request.Query["workers"].ToString();
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var workers) || workers is < 1 or > MaxWorkers)
        {
            await BadRequest(context, text.Length == 0
                ? $"how many workers is missing: write {context.Request.Path}?workers=N"
                : $"workers \"{text}\" is no number from 1 to {MaxWorkers}; to have none, stop the service");
            return;
        }

        var name = Name(context);
        var document = await _daemon.Loop.Ask(() =>
        {
            if (Find(name) is not { } runner)
            {
                return null;
            }

            var before = runner.State.Desired;
            runner.Post(new ScaleRequested(workers));
            var message = before == workers
                ? string.Create(CultureInfo.InvariantCulture, $"has {workers} already")
                : string.Create(CultureInfo.InvariantCulture, $"scaled from {before} to {workers}{(runner.State.IsStarted ? "" : ", from its start on")}");
            return new ChangeDocument(name, "done", Rollout: null, $"{name}: {message}")
            {
                State = Documents.State(runner),
                Desired = runner.State.Desired,
                Ready = runner.State.Ready,
                Workers = runner.State.Workers.Length,
            };
        });
        await (document is null ? NoService(context, name) : Json(context, document, ControlJson.Default.ChangeDocument));
    }

    private async Task Signal(HttpContext context)
    {
        if (!await MayChange(context))
        {
            return;
        }

        var text = context.Request.Query["signal"].ToString();
        if (Signals.Parse(text) is not { } signal)
        {
            await BadRequest(context, text.Length == 0
                ? $"which signal is missing: write {context.Request.Path}?signal=HUP"
                : $"signal \"{text}\" is no signal: write HUP, SIGUSR1, RTMIN+3 or a number from 1 to 64");
            return;
        }

        var name = Name(context);
        var pids = await _daemon.Loop.Ask(() => Find(name)?.Signal(signal));
        if (pids is null)
        {
            await NoService(context, name);
            return;
        }

        if (pids.Count == 0)
        {
            await Problem(context, StatusCodes.Status409Conflict, "no worker", $"service \"{name}\" has no worker that a signal could be sent to");
            return;
        }

        var message = string.Create(CultureInfo.InvariantCulture, $"{name}: {Signals.Name(signal)} sent to {pids.Count} worker{(pids.Count == 1 ? "" : "s")}");
        await Json(context, new SignalDocument(name, Signals.Name(signal), pids.Count, pids, message), ControlJson.Default.SignalDocument);
    }

    private static Task BadRequest(HttpContext context, string detail) => Problem(context, StatusCodes.Status400BadRequest, "bad request", detail);
}
