using Microsoft.AspNetCore.Http;
using Supervisor.Control;
using Supervisor.Daemon.Runtime;

namespace Supervisor.Daemon.Control;

/// <summary>The configuration, read again.</summary>
internal sealed partial class ControlApi
{
    /// <summary>Applies it, or with <c>dry_run=true</c> says what that would do. What is refused is a problem document with the plan in it.</summary>
    private async Task Reload(HttpContext context)
    {
        if (!await MayChange(context))
        {
            return;
        }

        var dryRun = RequestParameters.IsSet(context.Request, "dry_run");
        var reloader = _daemon.Reloader!;
        if (!dryRun)
        {
            _daemon.Loop.Post(_daemon.TellReloading);
        }

        // The files are read here: a slow disk holds up this request and nobody else.
        var loaded = reloader.Load();
        var document = await _daemon.Loop.Ask(() =>
        {
            var result = reloader.Apply(loaded, dryRun);
            if (!dryRun)
            {
                _daemon.TellReloaded();
            }

            return result;
        });
        if (document.Status is { } status)
        {
            context.Response.StatusCode = status;
            context.Response.ContentType = "application/problem+json";
            Write(context.Response.BodyWriter, document, ControlJson.Default.ReloadDocument);
            await context.Response.BodyWriter.FlushAsync();
            return;
        }

        await Json(context, document, ControlJson.Default.ReloadDocument);
    }
}
