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
    /// Serves the listeners that the supervisor holds. Sends READY=1 when Kestrel accepts, WATCHDOG=1 if there is a watchdog,
    /// and STOPPING=1 at the end. Drains without losing a request: it answers every accepted connection, with
    /// <c>Connection: close</c>, before it closes any. Without a supervisor this method changes nothing, and Kestrel listens
    /// where it is configured to.
    /// </summary>
    /// <param name="builder">For example <c>WebApplicationBuilder.WebHost</c>.</param>
    /// <param name="configure">Configures each listener, for example <c>listen => listen.UseHttps()</c>.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="BrokerException">With <c>handoff = "scm-rights"</c>: the broker refuses the request.</exception>
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
