using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Supervisor.Core.Listeners;
using Supervisor.Linux.Evidence;

namespace Supervisor.Daemon.Control;

/// <summary><c>daemon.metrics</c>: GET /metrics on an address of its own, for whoever may reach it. Reading only.</summary>
internal sealed class MetricsServer : IDisposable
{
    /// <summary>The setting's name, by which messages call its listener.</summary>
    public const string Setting = "daemon.metrics";

    private readonly WebApplication _application;

    private MetricsServer(WebApplication application) => _application = application;

    /// <summary>The metrics' address as a listener, for what is said of listeners; null where there is none, or no such address.</summary>
    public static ListenerSpec? Listener(string? address) =>
        ListenAddress.TryParse($"tcp://{address}", out var parsed, out _) ? new ListenerSpec { Name = Setting, Address = parsed } : null;

    /// <summary>Starts it; null with the reason where the address cannot be served.</summary>
    public static MetricsServer? TryStart(Daemon daemon, string address, out string? error)
    {
        if (Listener(address) is not { Address: var at } listener)
        {
            error = $"{Setting} \"{address}\" is no address and port: write 127.0.0.1:9469, or [::1]:9469";
            return null;
        }

        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "listend" });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(options =>
        {
            options.AddServerHeader = false;
            options.Limits.MaxConcurrentConnections = 64;
            if (at.Host is { } host)
            {
                options.Listen(host, (int)at.Port, listen => listen.Protocols = HttpProtocols.Http1);
            }
            else
            {
                options.ListenAnyIP((int)at.Port, listen => listen.Protocols = HttpProtocols.Http1);
            }
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
            var diagnosis = BindDiagnostics.Ask(listener, Predecessors.OfAnyService);
            error = diagnosis.Bindable
                ? $"{Setting} \"{address}\" cannot be served: {exception.Message}; restart the daemon, or choose another address"
                : $"{Setting} \"{address}\" cannot be served: {diagnosis.Errno} ({diagnosis.Cause?.Word()}): {diagnosis.Verdict}: {diagnosis.Advice}";
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
