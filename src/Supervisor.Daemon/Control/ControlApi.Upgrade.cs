using Microsoft.AspNetCore.Http;
using Supervisor.Control;
using Supervisor.Daemon.Model;
using Supervisor.Native;

namespace Supervisor.Daemon.Control;

/// <summary>The daemon's replacement by the executable that is on disk.</summary>
internal sealed partial class ControlApi
{
    /// <summary>
    /// 202 where the executable will take over: it does so once this answer is given, and whoever asks for the status next
    /// waits in the queue and is answered by it. 409 with the reason where this one goes on.
    /// </summary>
    private async Task Upgrade(HttpContext context)
    {
        if (!await MayChange(context))
        {
            return;
        }

        var (version, refusal) = await await _daemon.Loop.Ask(() => _verbs.BeginUpgradeAsync());
        if (refusal is not null)
        {
            await Problem(context, StatusCodes.Status409Conflict, "the daemon is not upgraded", $"not upgraded, listend {DaemonInfo.Version} goes on: {refusal}");
            return;
        }

        context.Response.StatusCode = StatusCodes.Status202Accepted;
        context.Response.Headers.Connection = "close";
        await Json(
            context,
            new UpgradeDocument(
                null, Processes.CurrentPid, DaemonInfo.Version, version!, _daemon.Info.Upgrades + 1, $"listend {DaemonInfo.Version} (pid {Processes.CurrentPid}) becomes listend {version}"),
            ControlJson.Default.UpgradeDocument);
    }
}
