using Serilog;
using Supervisor.Config.Settings;
using Supervisor.Core;
using Supervisor.Linux;
using Supervisor.Linux.Kernel;

namespace Supervisor.Daemon.Web;

/// <summary>
/// Serves metrics and the web page by TCP if the configuration sets daemon.metrics. A failure is logged and does not affect services.
/// </summary>
/// <param name="loop">The loop.</param>
/// <param name="resources">What it serves.</param>
/// <param name="log">The log.</param>
internal sealed class MetricsEndpoint(EventLoop loop, WebResources resources, ILogger log) : IDisposable
{
    private Task _applied = Task.CompletedTask;
    private MetricsServer? _server;

    /// <summary>Called on the loop when no client has been connected for some seconds.</summary>
    public event Action? BecameIdle;

    /// <summary>
    /// Replaces the server by one for <paramref name="config"/>. The task completes when the server listens or has failed; do not wait
    /// for it on the running loop. On the loop, or before it runs.
    /// </summary>
    public Task ApplyAsync(DaemonConfig config)
    {
        var before = _applied;
        return _applied = Task.Run(() => ReplaceAsync(before, config));
    }

    /// <inheritdoc/>
    public void Dispose() => _server?.Dispose();

    private async Task ReplaceAsync(Task before, DaemonConfig config)
    {
        await before;
        if (_server is { } previous)
        {
            _server = null;
            await previous.CloseAsync();
        }

        if (config.Metrics is null)
        {
            return;
        }

        _server = MetricsServer.TryOpen(loop, resources, config, log, () => BecameIdle?.Invoke(), out var error);
        if (_server is { } server)
        {
            loop.Post(server.Serve);
        }
        else
        {
            log.Kind(MessageIds.MetricsFailed).Error("{Error}", error);
        }
    }
}
