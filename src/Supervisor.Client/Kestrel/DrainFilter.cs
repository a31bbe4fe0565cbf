using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Supervisor.Client.Kestrel;

/// <summary>A draining worker answers with <c>Connection: close</c>, so the client's next request reaches another worker.</summary>
internal sealed class DrainFilter(Drain drain) : IStartupFilter
{
    /// <inheritdoc/>
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => application =>
    {
        application.Use(following => context =>
        {
            // Decided when the answer is sent, not when the request arrives. HTTP/2 uses GOAWAY and has no such header.
            if (HttpProtocol.IsHttp11(context.Request.Protocol))
            {
                context.Response.OnStarting(() =>
                {
                    if (drain.HasBegun)
                    {
                        context.Response.Headers.Connection = "close";
                    }

                    return Task.CompletedTask;
                });
            }

            return following(context);
        });
        next(application);
    };
}
