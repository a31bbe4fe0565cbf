using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Supervisor.Config.Settings;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Core.Listeners.History;
using Supervisor.Linux.Evidence;

namespace Supervisor.Daemon.Control;

/// <summary><c>daemon.metrics</c>: serves GET /metrics, /healthz and /readyz, and nothing else, on an address of its own.</summary>
/// <remarks>
/// Any host may be able to reach it, so a client must cost little. Connections are bounded, and at the limit a new one closes
/// an idle one. A header must arrive within seconds, and a body is refused. All requests within <see cref="Freshness"/>
/// share one answer of the loop.
/// </remarks>
internal sealed class MetricsServer : IDisposable
{
    /// <summary>The limit of open connections.</summary>
    private const int MostConnections = 64;

    private const string TextType = "text/plain; version=0.0.4; charset=utf-8";
    private const string OpenMetricsType = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    private const int MaxRequestLine = 2048;
    private const int MaxHeaders = 8192;

    /// <summary>How long an answer of the loop is reused, so many clients cannot make the loop busy.</summary>
    public static readonly TimeSpan Freshness = TimeSpan.FromMilliseconds(200);

    /// <summary>How long a request's header may take after its first byte.</summary>
    private static readonly TimeSpan HeaderTimeout = TimeSpan.FromSeconds(5);

    /// <summary>How long a connection may be without a request.</summary>
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromSeconds(10);

    private readonly WebApplication _application;

    private MetricsServer(WebApplication application) => _application = application;

    /// <summary>Starts the server; null with the reason if it cannot serve the address.</summary>
    public static MetricsServer? TryStart(
        TimeProvider time, Func<Task<MetricSamples>> metrics, Func<Task<string[]>> readiness, DaemonConfig config, out string? error)
    {
        var address = config.Metrics!;
        if (config.MetricsListener is not { Address: var at } listener)
        {
            error = $"{DaemonConfig.MetricsSetting} \"{address}\" is not an address and port: use for example 127.0.0.1:9469 or [::1]:9469";
            return null;
        }

        var places = new ConnectionPlaces(MostConnections, endsRequests: true);
        var hosts = new MetricsHosts(config.MetricsHosts, Dns.GetHostName());
        var samples = new SharedAnswer<MetricSamples>(metrics, Freshness, time);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "listend" });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(options =>
        {
            options.AddServerHeader = false;
            options.Limits.RequestHeadersTimeout = HeaderTimeout;
            options.Limits.KeepAliveTimeout = IdleTimeout;
            options.Limits.MaxRequestLineSize = MaxRequestLine;
            options.Limits.MaxRequestHeadersTotalSize = MaxHeaders;
            options.Limits.MaxRequestBufferSize = MaxRequestLine + MaxHeaders;
            options.Limits.MaxRequestBodySize = 0;
            if (at.Host is { } host)
            {
                options.Listen(host, (int)at.Port, Configure);
            }
            else
            {
                options.ListenAnyIP((int)at.Port, Configure);
            }
        });
        builder.Services.AddRoutingCore();
        var application = builder.Build();
        application.Use((context, next) => AnswerAsync(context, next, hosts));
        Map("/metrics", async context => await WriteAsync(context, await samples.AskAsync()));
        Map("/healthz", DaemonResource.Health);
        Map("/readyz", async context => await Readiness.AnswerAsync(context, await readiness()));
        try
        {
            application.StartAsync().GetAwaiter().GetResult();
        }
        catch (Exception exception) when (exception is IOException or SocketException)
        {
            var diagnosis = BindDiagnostics.Ask(listener, LeftoverHolders.OfAnyService);
            var reason = diagnosis.Bindable
                ? $"{exception.Message}; restart the daemon, or choose another address"
                : $"{diagnosis.Errno} ({diagnosis.Cause?.ToWireName()}): {diagnosis.Verdict}: {diagnosis.Advice}";
            error = $"{DaemonConfig.MetricsSetting} \"{address}\" cannot be served: {reason}";
            return null;
        }

        error = null;
        return new MetricsServer(application);

        void Map(string path, RequestDelegate answer) => application.MapMethods(path, [HttpMethods.Get, HttpMethods.Head], answer);

        void Configure(ListenOptions listen)
        {
            listen.Protocols = HttpProtocols.Http1;
            listen.Use(next => async connection =>
            {
                using var place = places.Enter(connection);
                connection.Features.Set(place);
                await next(connection);
            });
        }
    }

    /// <summary>Answers with the metrics, as OpenMetrics if the client accepts that; HEAD with their length only.</summary>
    public static async Task WriteAsync(HttpContext context, MetricSamples samples)
    {
        var asOpenMetrics = context.Request.Headers.Accept.Any(
            accepted => accepted?.Contains("application/openmetrics-text", StringComparison.OrdinalIgnoreCase) == true);
        var bytes = Encoding.UTF8.GetBytes(asOpenMetrics ? samples.OpenMetrics : samples.Text);
        context.Response.Headers.Vary = "Accept";
        context.Response.ContentType = asOpenMetrics ? OpenMetricsType : TextType;
        context.Response.ContentLength = bytes.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await context.Response.Body.WriteAsync(bytes);
        }
    }

    private static async Task AnswerAsync(HttpContext context, RequestDelegate next, MetricsHosts hosts)
    {
        var place = context.Features.Get<ConnectionPlaces.Place>();
        place?.Begin();
        try
        {
            context.Response.Headers.XContentTypeOptions = "nosniff";
            if (hosts.Answers(context.Request.Host.Host))
            {
                await next(context);
                return;
            }

            context.Response.StatusCode = StatusCodes.Status421MisdirectedRequest;
            context.Response.ContentType = "text/plain; charset=utf-8";
            await context.Response.WriteAsync(MetricsHosts.Refusal(context.Request.Host.Host) + "\n");
        }
        finally
        {
            place?.End();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        _application.StopAsync(limit.Token).ContinueWith(_ => { }, TaskScheduler.Default).Wait();
    }
}
