using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Supervisor.Client.Kestrel;

/// <summary>Answers of a worker that drains say <c>Connection: close</c>, so that the client's next request finds a sibling.</summary>
internal sealed class DrainFilter(Drain drain) : IStartupFilter
{
    /// <inheritdoc/>
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => application =>
    {
        application.Use(following => context =>
        {
            // What the drain has to say is asked last, when the answer goes out. HTTP/2 has its own way, GOAWAY, and no such header.
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
