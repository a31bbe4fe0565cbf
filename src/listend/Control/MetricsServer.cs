using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Supervisor.Daemon.Control;

/// <summary><c>daemon.metrics</c>: GET /metrics on an address of its own, for whoever may reach it. Reading only.</summary>
internal sealed class MetricsServer : IDisposable
{
    private readonly WebApplication _application;

    private MetricsServer(WebApplication application) => _application = application;

    /// <summary>Starts it; null with the reason where the address cannot be served.</summary>
    public static MetricsServer? TryStart(Daemon daemon, string address, out string? error)
    {
        if (!IPEndPoint.TryParse(address, out var endPoint))
        {
            error = $"daemon.metrics \"{address}\" is no address and port: write 127.0.0.1:9469, or [::1]:9469";
            return null;
        }

        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "listend" });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(options =>
        {
            options.AddServerHeader = false;
            options.Limits.MaxConcurrentConnections = 64;
            options.Listen(endPoint, listen => listen.Protocols = HttpProtocols.Http1);
        });
        builder.Services.AddRoutingCore();
        var application = builder.Build();
        application.MapGet("/metrics", (RequestDelegate)(context => WriteAsync(daemon, context)));
        try
        {
            application.StartAsync().GetAwaiter().GetResult();
        }
        catch (Exception exception) when (exception is IOException or System.Net.Sockets.SocketException)
        {
            error = $"daemon.metrics \"{address}\" cannot be served: {exception.Message}";
            return null;
        }

        error = null;
        return new MetricsServer(application);
    }

    /// <summary>Answers with the metrics.</summary>
    public static async Task WriteAsync(Daemon daemon, HttpContext context)
    {
        context.Response.ContentType = Metrics.ContentType;
        await context.Response.WriteAsync(await daemon.Loop.Ask(() => Metrics.Text(daemon)));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        _application.StopAsync(limit.Token).ContinueWith(_ => { }, TaskScheduler.Default).Wait();
    }
}
