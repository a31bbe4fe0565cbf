using Serilog;
using Supervisor.Config;
using Supervisor.Control;
using Supervisor.Core;
using Supervisor.Linux;
using Supervisor.Linux.Kernel;

namespace Supervisor.Daemon.Runtime;

/// <summary>
/// Runs reloads, by SIGHUP and by the control interface, and tells systemd (Type=notify-reload) when each begins and ends.
/// </summary>
/// <param name="loop">The loop.</param>
/// <param name="load">Reads and validates the files. Any thread but the loop's.</param>
/// <param name="apply">Applies what was read, or plans it. On the loop.</param>
/// <param name="systemd">The service manager.</param>
/// <param name="log">The log.</param>
internal sealed class ReloadRunner(
    EventLoop loop, Func<ConfigResult> load, Func<ConfigResult, bool, ReloadDocument> apply, SystemdNotify systemd, ILogger log)
{
    /// <summary>
    /// SIGHUP: reads the files on another thread, because a disk can be slow. The task completes when the reload has ended.
    /// </summary>
    public Task OnSignalAsync() => Task.Run(async () =>
    {
        try
        {
            await RunAsync(dryRun: false);
        }
        catch (Exception exception)
        {
            log.Kind(MessageIds.ReloadRefused).Error(exception, "reload: failed, nothing was changed: {Reason}", exception.Message);
        }
    });

    /// <summary>
    /// Reloads, or with <paramref name="dryRun"/> only plans the reload. The caller's thread, which is not the loop's, reads the
    /// files.
    /// </summary>
    public Task<ReloadDocument> RunAsync(bool dryRun)
    {
        if (dryRun)
        {
            var read = load();
            return loop.Ask(() => apply(read, true));
        }

        loop.Post(systemd.Reloading);
        ConfigResult loaded;
        try
        {
            loaded = load();
        }
        catch
        {
            loop.Post(systemd.Reloaded);
            throw;
        }

        return loop.Ask(() =>
        {
            try
            {
                return apply(loaded, false);
            }
            finally
            {
                systemd.Reloaded();
            }
        });
    }
}
