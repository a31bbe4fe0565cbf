using Microsoft.Extensions.Hosting;

namespace Supervisor.Client;

/// <summary>Reports the lifetime of the host to the supervisor: ready, watchdog, stopping.</summary>
internal sealed class WorkerLifetime(IHostApplicationLifetime lifetime, WorkerNotifier notifier) : IHostedService, IDisposable
{
    private Timer? _watchdog;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        lifetime.ApplicationStarted.Register(() =>
        {
            notifier.Ready();
            if (notifier.WatchdogInterval is { } interval)
            {
                _watchdog = new Timer(_ => notifier.Watchdog(), null, TimeSpan.Zero, interval / 2);
            }
        });
        lifetime.ApplicationStopping.Register(notifier.Stopping);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public void Dispose() => _watchdog?.Dispose();
}
