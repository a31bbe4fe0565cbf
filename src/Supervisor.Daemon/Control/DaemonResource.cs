using Microsoft.AspNetCore.Http;
using Supervisor.Control;
using Supervisor.Daemon.Model;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Daemon.Control;

/// <summary>The daemon as a whole: its status, health and metrics, reload and upgrade.</summary>
internal sealed class DaemonResource(ControlContext daemon, ControlVerbs verbs, CancellationToken stopping)
{
    private readonly ReloadFollow _follow = new(daemon, stopping);
    private readonly Readiness _readiness = new(daemon.Loop, daemon.Lifecycle, daemon.Listeners, daemon.Services, daemon.Drift);

    /// <summary>
    /// The whole status; with <c>service=NAME</c> only that service, with <c>services=false</c> none, and with
    /// <c>usage=false</c> without connections and resources, for which other threads ask the kernel.
    /// </summary>
    public async Task Status(HttpContext context)
    {
        var name = context.Request.Query["service"].ToString();
        var only = name.Length > 0 ? name : null;
        var isWanted = RequestParameters.IsSet(context.Request, "services", otherwise: true);
        var (self, now) = await daemon.Loop.Ask(() => (StatusReport.Daemon(daemon), daemon.Loop.Now));
        var services = !isWanted ? [] : await daemon.Loop.AskEach(
            () => daemon.Services.Where(
                runner => (only is null || runner.Name == only) && AccessScope.Shows(context, runner.Name)),
            runner => ServiceReading.Of(runner, daemon.Loop, daemon.Overflows));
        if (only is not null && isWanted && services.Count == 0)
        {
            await Answer.NoService(context, daemon, only);
            return;
        }

        var documents = RequestParameters.IsSet(context.Request, "usage", otherwise: true)
            ? ServiceUsage.Fill(services, now)
            : services.Select(service => service.Document);
        self = await daemon.Files.FillAsync(self);
        await Answer.Json(context, new StatusDocument(self, [.. documents]), ControlJson.Default.StatusDocument);
    }

    public static Task Health(HttpContext context) => Answer.Text(context, StatusCodes.Status200OK, "ok");

    public async Task Ready(HttpContext context) => await Readiness.AnswerAsync(context, await _readiness.ReadAsync());

    public async Task Metrics(HttpContext context) => await MetricsText.WriteAsync(context, await daemon.Metrics.ReadAsync());

    /// <summary>
    /// Applies the configuration, or with <c>dry_run=true</c> only plans it. A rejected one is a problem document with the plan. With
    /// <c>wait=true</c> the answer ends with the outcome of the roll-outs.
    /// </summary>
    public async Task Reload(HttpContext context)
    {
        if (!RequestParameters.TryTimeout(context.Request, out var timeout, out var wrong))
        {
            await Answer.BadRequest(context, wrong);
            return;
        }

        List<ChangeProgress>? changes = null;
        Action<ReloadDocument>? begin = RequestParameters.IsSet(context.Request, "wait") ? done => changes = _follow.Begin(done) : null;
        var document = await verbs.ReloadAsync(
            RequestParameters.IsSet(context.Request, "dry_run"), ClientCredentials.Requester(context), begin);
        if (changes is not null)
        {
            await _follow.RunAsync(context, document, changes, timeout);
            return;
        }

        const int rejected = StatusCodes.Status422UnprocessableEntity;
        await (document.Title is null
            ? Answer.Json(context, document, ControlJson.Default.ReloadDocument)
            : Answer.Problem(context, rejected, document with { Status = rejected }, ControlJson.Default.ReloadDocument));
    }

    /// <summary>
    /// 202 if the daemon is about to execute the file on disk, which happens after this answer. The next request waits in the
    /// queue of the control socket until the new executable answers. 409 with the reason if the upgrade is rejected.
    /// </summary>
    public async Task Upgrade(HttpContext context)
    {
        var by = ClientCredentials.Requester(context);
        var (version, refusal) = await await daemon.Loop.Ask(() =>
        {
            daemon.Requests.OfDaemon("upgrade", by);
            return verbs.BeginUpgradeAsync();
        });
        if (refusal is not null)
        {
            await Answer.Problem(
                context, StatusCodes.Status409Conflict, "upgrade rejected",
                $"upgrade rejected, listend {DaemonInfo.Version} continues: {refusal}");
            return;
        }

        context.Response.StatusCode = StatusCodes.Status202Accepted;
        context.Response.Headers.Connection = "close";
        var message = $"upgrading from listend {DaemonInfo.Version} to {version} (pid {Processes.CurrentPid})";
        var document = new UpgradeDocument(
            null, Processes.CurrentPid, DaemonInfo.Version, version!, daemon.Info.Upgrades + 1, message);
        await Answer.Json(context, document, ControlJson.Default.UpgradeDocument);
    }
}
