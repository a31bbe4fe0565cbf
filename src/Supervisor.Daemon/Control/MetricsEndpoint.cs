using Serilog;
using Supervisor.Config.Settings;
using Supervisor.Core;
using Supervisor.Linux;

namespace Supervisor.Daemon.Control;

/// <summary>Serves the metrics by TCP if the configuration sets daemon.metrics. A failure is logged and does not affect services.</summary>
/// <param name="time">The clock.</param>
/// <param name="samples">Reads the metrics. Any thread except the loop's.</param>
/// <param name="readiness">Reads why clients should be sent elsewhere, at most once in a moment. Any thread except the loop's.</param>
/// <param name="log">The log.</param>
internal sealed class MetricsEndpoint(
    TimeProvider time, Func<Task<MetricSamples>> samples, Func<Task<string[]>> readiness, ILogger log) : IDisposable
{
    private MetricsServer? _server;

    /// <summary>
    /// Replaces the server by one for <paramref name="config"/>. The task completes when the server listens or has failed; do not wait
    /// for it on the running loop.
    /// </summary>
    public Task ApplyAsync(DaemonConfig config)
    {
        var previous = Interlocked.Exchange(ref _server, null);
        return config.Metrics is null && previous is null ? Task.CompletedTask : Task.Run(() =>
        {
            previous?.Dispose();
            if (config.Metrics is null)
            {
                return;
            }

            _server = MetricsServer.TryStart(time, samples, readiness, config, out var error);
            if (error is not null)
            {
                log.Kind(MessageIds.MetricsFailed).Error("{Error}", error);
            }
        });
    }

    /// <inheritdoc/>
    public void Dispose() => _server?.Dispose();
}
