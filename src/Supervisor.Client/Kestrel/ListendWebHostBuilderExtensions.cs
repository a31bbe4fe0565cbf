using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Supervisor.Client.Kestrel;

namespace Supervisor.Client;

/// <summary>Kestrel as a worker of listend.</summary>
public static class ListendWebHostBuilderExtensions
{
    /// <summary>
    /// Serves the listeners that the supervisor holds, tells it READY=1 once Kestrel accepts and STOPPING=1 when it ceases to,
    /// keeps its watchdog content, and drains without losing a request: what was accepted is answered, with
    /// <c>Connection: close</c>, before anything is closed. Without a supervisor nothing changes, and Kestrel listens
    /// where it is told to.
    /// </summary>
    /// <param name="builder"><c>WebApplicationBuilder.WebHost</c>, or any other.</param>
    /// <param name="configure">What is to be set on each of the listeners, such as <c>listen => listen.UseHttps()</c>.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="BrokerException">With <c>handoff = "scm-rights"</c>: the broker refuses.</exception>
    /// <exception cref="IOException">A descriptor is not open, or the broker does not answer.</exception>
    public static IWebHostBuilder UseListend(this IWebHostBuilder builder, Action<ListenOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var drain = new Drain(TimeProvider.System);
        var descriptors = SharedListeners.Descriptors();
        return builder.ConfigureServices(services =>
        {
            services.AddSingleton(WorkerNotifier.FromEnvironment());
            services.AddHostedService<WorkerLifetime>();
            if (descriptors.Count == 0)
            {
                return;
            }

            services.AddSingleton(drain);
            services.AddSingleton<IStartupFilter, DrainFilter>();
            services.AddSingleton<IConnectionListenerFactory, SharedListenerFactory>();
            services.AddSingleton<IConfigureOptions<KestrelServerOptions>>(new ConfigureOptions<KestrelServerOptions>(kestrel =>
            {
                foreach (var (_, descriptor) in descriptors)
                {
                    kestrel.ListenHandle((ulong)descriptor, listen =>
                    {
                        listen.Use(drain.Track);
                        configure?.Invoke(listen);
                    });
                }
            }));
        });
    }
}
