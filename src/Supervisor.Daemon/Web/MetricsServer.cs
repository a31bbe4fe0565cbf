using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Serilog;
using Supervisor.Config.Settings;
using Supervisor.Core;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Core.Listeners.History;
using Supervisor.Daemon.Control;
using Supervisor.Linux;
using Supervisor.Linux.Evidence;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Daemon.Web;

/// <summary>
/// <c>daemon.metrics</c>: serves GET /metrics, /healthz, /readyz and the web page at /, and nothing else, on an address of its own.
/// </summary>
/// <remarks>
/// Any host may be able to reach it, so a client must cost little. Connections are bounded, and at the limit a new one closes
/// an idle one. A header must arrive within seconds, and a body is refused. All requests within <see cref="Freshness"/>
/// share one answer of the loop. The page's data is read once for all viewers (<see cref="LiveFeed"/>).
/// </remarks>
internal sealed class MetricsServer : IDisposable
{
    /// <summary>The limit of open connections.</summary>
    private const int MostConnections = 64;

    private const int MaxRequestLine = 2048;
    private const int MaxHeaders = 8192;

    /// <summary>How long an answer of the loop is reused, so many clients cannot make the loop busy.</summary>
    public static readonly TimeSpan Freshness = TimeSpan.FromMilliseconds(200);

    /// <summary>How long a request's header may take after its first byte.</summary>
    private static readonly TimeSpan HeaderTimeout = TimeSpan.FromSeconds(5);

    /// <summary>How long a connection may be without a request.</summary>
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(1);

    private readonly EventLoop _loop;
    private readonly DescriptorHandle _listener;
    private readonly MetricsHosts _hosts;
    private readonly SharedAnswer<MetricSamples> _samples;
    private readonly Func<Task<string[]>> _unready;
    private readonly LiveResource _live;
    private readonly OnDemandServer _server;
    private readonly CancellationTokenSource _stopping = new();

    private MetricsServer(
        EventLoop loop, DescriptorHandle listener, IPEndPoint address, WebResources resources, DaemonConfig config, ILogger log,
        Action becameIdle)
    {
        (_loop, _listener) = (loop, listener);
        _hosts = new MetricsHosts(config.MetricsHosts, Dns.GetHostName());
        _samples = new SharedAnswer<MetricSamples>(resources.Samples, Freshness, loop.Time);
        _unready = resources.Readiness;
        _live = new LiveResource(resources.Live, _stopping.Token);
        var terms = new HttpTerms(
            address, IsLocal: false, () => new ConnectionPlaces(MostConnections, endsRequests: true), MostBusy: int.MaxValue, SetLimits,
            Map)
        {
            Failed = exception => log.Kind(MessageIds.MetricsFailed).Error(
                exception, "{Setting}: cannot serve requests now: {Reason}", DaemonConfig.MetricsSetting, exception.Message),
            BecameIdle = becameIdle,
        };
        _server = new OnDemandServer(loop, listener, terms);
    }

    /// <summary>Binds the address; null with the reason if that fails. Not on the loop: the reason is looked for.</summary>
    public static MetricsServer? TryOpen(
        EventLoop loop, WebResources resources, DaemonConfig config, ILogger log, Action becameIdle, out string? error)
    {
        var address = config.Metrics!;
        if (config.MetricsListener is not { Address: var at } spec)
        {
            error = $"{DaemonConfig.MetricsSetting} \"{address}\" is not an address and port: use for example 127.0.0.1:9469 or [::1]:9469";
            return null;
        }

        var listener = WebListener.TryListen(at, out var refused);
        if (listener is null)
        {
            var diagnosis = BindDiagnostics.Ask(spec, LeftoverHolders.OfAnyService);
            var reason = diagnosis.Bindable
                ? $"{refused}; restart the daemon, or choose another address"
                : $"{diagnosis.Errno} ({diagnosis.Cause?.ToWireName()}): {diagnosis.Verdict}: {diagnosis.Advice}";
            error = $"{DaemonConfig.MetricsSetting} \"{address}\" cannot be served: {reason}";
            return null;
        }

        error = null;
        var endPoint = new IPEndPoint(at.Host ?? IPAddress.IPv6Any, (int)at.Port);
        return new MetricsServer(loop, listener, endPoint, resources, config, log, becameIdle);
    }

    /// <summary>Serves clients from now on. On the loop.</summary>
    public void Serve() => _server.Serve();

    /// <summary>Ends everything while the loop runs, and closes the socket. Not on the loop.</summary>
    public async Task CloseAsync()
    {
        await _stopping.CancelAsync();
        await await _loop.Ask(_server.PauseAsync);
        await _loop.Ask(() =>
        {
            _listener.Dispose();
            return true;
        });
        _server.Dispose();
        _stopping.Dispose();
    }

    /// <summary>Ends everything after the loop has ended.</summary>
    public void Dispose()
    {
        _stopping.Cancel();
        _server.Stop(StopTimeout);
        _server.Dispose();
        _listener.Dispose();
        _stopping.Dispose();
    }

    private static void SetLimits(KestrelServerLimits limits)
    {
        limits.RequestHeadersTimeout = HeaderTimeout;
        limits.KeepAliveTimeout = IdleTimeout;
        limits.MaxRequestLineSize = MaxRequestLine;
        limits.MaxRequestHeadersTotalSize = MaxHeaders;
        limits.MaxRequestBufferSize = MaxRequestLine + MaxHeaders;
        limits.MaxRequestBodySize = 0;
    }

    private void Map(WebApplication application)
    {
        application.Use(CheckHost);
        Add("/", WebPage.AnswerAsync);
        Add("/live", _live.Stream);
        Add("/live/listeners/{name}", _live.Listener);
        Add("/metrics", async context => await MetricsText.WriteAsync(context, await _samples.AskAsync()));
        Add("/healthz", DaemonResource.Health);
        Add("/readyz", async context => await Readiness.AnswerAsync(context, await _unready()));

        void Add(string path, RequestDelegate answer) => application.MapMethods(path, [HttpMethods.Get, HttpMethods.Head], answer);
    }

    private async Task CheckHost(HttpContext context, RequestDelegate next)
    {
        var headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        if (!_hosts.Answers(context.Request.Host.Host))
        {
            await Answer.Text(
                context, StatusCodes.Status421MisdirectedRequest, MetricsHosts.Refusal(context.Request.Host.Host));
        }
        else if (context.Request.Path.StartsWithSegments("/live") && IsOfAnotherSite(context.Request))
        {
            await Answer.Text(context, StatusCodes.Status403Forbidden, "only the page at / reads this");
        }
        else
        {
            await next(context);
        }
    }

    /// <summary>Whether a browser says (Fetch Metadata) that another site asks: it could use up the places of viewers.</summary>
    private static bool IsOfAnotherSite(HttpRequest request) =>
        request.Headers["Sec-Fetch-Site"].ToString() is not ("" or "same-origin" or "none");
}
