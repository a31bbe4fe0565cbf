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
/// <param name="load">Reads and validates the files, with true to get all warnings. Any thread but the loop's.</param>
/// <param name="apply">Applies what was read, or plans it. On the loop.</param>
/// <param name="systemd">The service manager.</param>
/// <param name="log">The log.</param>
internal sealed class ReloadRunner(
    EventLoop loop, Func<bool, ConfigResult> load, Func<ConfigResult, bool, Requester?, ReloadDocument> apply, SystemdNotify systemd,
    ILogger log)
{
    /// <summary>
    /// SIGHUP: reads the files on another thread, because a disk can be slow. The task completes when the reload has ended.
    /// </summary>
    /// <param name="by">The sender of the signal; null if that is the kernel.</param>
    public Task OnSignalAsync(Requester? by) => Task.Run(async () =>
    {
        try
        {
            await RunAsync(dryRun: false, by);
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
    /// <param name="dryRun">Whether nothing is changed.</param>
    /// <param name="by">Who requests it; null if that is the kernel.</param>
    /// <param name="onApplied">Called on the loop right after the configuration was applied, before any roll-out can end.</param>
    public Task<ReloadDocument> RunAsync(bool dryRun, Requester? by, Action<ReloadDocument>? onApplied = null)
    {
        if (dryRun)
        {
            var read = load(true);
            return loop.Ask(() => apply(read, true, by));
        }

        loop.Post(systemd.Reloading);
        ConfigResult loaded;
        try
        {
            loaded = load(false);
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
                var document = apply(loaded, false, by);
                if (document.Applied)
                {
                    onApplied?.Invoke(document);
                }

                return document;
            }
            finally
            {
                systemd.Reloaded();
            }
        });
    }
}
