using Microsoft.AspNetCore.Http;
using Supervisor.Control;

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
        var document = await _verbs.ReloadAsync(dryRun);
        if (document.Title is not null)
        {
            document = document with { Status = StatusCodes.Status422UnprocessableEntity };
            context.Response.StatusCode = StatusCodes.Status422UnprocessableEntity;
            context.Response.ContentType = "application/problem+json";
            Write(context.Response.BodyWriter, document, ControlJson.Default.ReloadDocument);
            await context.Response.BodyWriter.FlushAsync();
            return;
        }

        await Json(context, document, ControlJson.Default.ReloadDocument);
    }
}
