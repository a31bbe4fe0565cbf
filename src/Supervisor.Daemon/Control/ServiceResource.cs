using System.Globalization;
using Microsoft.AspNetCore.Http;
using Supervisor.Control;
using Supervisor.Core;
using Supervisor.Daemon.Reports;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Control;

/// <summary>Services: status, and the changes start, stop, restart, promote, abort, scale and signal.</summary>
internal sealed class ServiceResource(ControlContext daemon, CancellationToken stopping)
{
    private const int MaxWorkers = 10_000;

    private readonly ServiceChange _change = new(daemon, stopping);

    public async Task Get(HttpContext context)
    {
        var name = Answer.Name(context);
        var (reading, now) = await daemon.Loop.Ask(
            () => (Find(name) is { } runner ? ServiceReading.Of(runner, daemon.Loop, daemon.Overflows) : null, daemon.Loop.Now));
        await (reading is null
            ? Answer.NoService(context, daemon)
            : Answer.Json(context, ServiceUsage.Fill([reading], now).Single(), ControlJson.Default.ServiceDocument));
    }

    public Task Start(HttpContext context) => _change.RunAsync(
        context, "start", (runner, _) => new StartProgress(daemon.Loop, runner));

    public Task Stop(HttpContext context) => _change.RunAsync(
        context, "stop", (runner, by) => new StopProgress(daemon.Loop, runner, by));

    /// <summary>A roll-out, or with <c>worker</c> the replacement of one slot's worker; a stopped service is started.</summary>
    public Task Restart(HttpContext context)
    {
        if (!RequestParameters.TryReadWorker(context.Request, out var slot, out var invalid))
        {
            return Answer.BadRequest(context, invalid);
        }

        var verb = slot is { } number ? string.Create(CultureInfo.InvariantCulture, $"restart --worker {number}") : "restart";
        return _change.RunAsync(context, verb, (runner, _) =>
            slot is { } replaced ? new SlotProgress(daemon.Loop, runner, replaced)
            : runner.State.IsStarted ? new RolloutProgress(daemon.Loop, runner)
            : new StartProgress(daemon.Loop, runner));
    }

    public Task Promote(HttpContext context) => _change.RunAsync(
        context, "promote", (runner, _) => new PromoteProgress(daemon.Loop, runner));

    public Task Abort(HttpContext context) => _change.RunAsync(
        context, "abort", (runner, _) => new AbortProgress(daemon.Loop, runner));

    public async Task Scale(HttpContext context)
    {
        var text = context.Request.Query["workers"].ToString();
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var workers) || workers is < 1 or > MaxWorkers)
        {
            await Answer.BadRequest(context, text.Length == 0
                ? $"missing parameter \"workers\": for example {context.Request.Path}?workers=4"
                : $"invalid number of workers \"{text}\": use 1 to {MaxWorkers}, or stop the service");
            return;
        }

        var name = Answer.Name(context);
        var by = ClientCredentials.Requester(context);
        string? refused = null;
        var document = await daemon.Loop.Ask(() => Find(name) is { } runner ? Scale(runner, workers, by, out refused) : null);
        await (refused is not null ? Answer.Problem(context, StatusCodes.Status409Conflict, "cannot be scaled", refused)
            : document is null ? Answer.NoService(context, daemon) : Answer.Json(context, document, ControlJson.Default.ChangeDocument));
    }

    public Task Signal(HttpContext context) => new SignalRequest(daemon).RunAsync(context);

    private ChangeDocument? Scale(ServiceRunner runner, int workers, Requester by, out string? refused)
    {
        var before = runner.State.Desired;
        daemon.Requests.OfService(runner.Name, string.Create(CultureInfo.InvariantCulture, $"scale {workers}"), by);
        refused = runner.Requests.Scale(workers, by);
        if (refused is not null)
        {
            return null;
        }

        var message = before == workers
            ? string.Create(CultureInfo.InvariantCulture, $"already has {workers}")
            : string.Create(
                CultureInfo.InvariantCulture,
                $"scaled from {before} to {workers}{(runner.State.IsStarted ? "" : ", effective at its next start")}");
        return new ChangeDocument(runner.Name, "done", Rollout: null, $"{runner.Name}: {message}")
        {
            State = ServiceDocuments.State(runner),
            Desired = runner.State.Desired,
            Ready = runner.State.Ready,
            Workers = runner.State.Workers.Length,
        };
    }

    private ServiceRunner? Find(string name) => daemon.Services.Find(name);
}
