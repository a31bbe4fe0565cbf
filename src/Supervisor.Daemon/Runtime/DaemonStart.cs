using Supervisor.Config;
using Supervisor.Control;
using Supervisor.Core;
using Supervisor.Core.State;
using Supervisor.Daemon.Continuity;
using Supervisor.Daemon.Logging;
using Supervisor.Daemon.Model;
using Supervisor.Daemon.Validation;
using Supervisor.Linux;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Paths;

namespace Supervisor.Daemon.Runtime;

/// <summary>The options of <c>listend run</c>.</summary>
/// <param name="Configured">The configuration, or its errors.</param>
/// <param name="ConfigFile">The full path of its main file; null without one.</param>
/// <param name="Directory">The runtime directory.</param>
/// <param name="IsDirectoryGiven">Whether the command line names the directory.</param>
/// <param name="TakeOver">Whether to take over from a daemon of another configuration.</param>
/// <param name="Executable">What a re-execution executes.</param>
internal sealed record StartOptions(
    ConfigResult Configured, string? ConfigFile, string Directory, bool IsDirectoryGiven, bool TakeOver, Executable Executable);

/// <summary>Decides whose successor this daemon is, and starts it.</summary>
internal static class DaemonStart
{
    /// <summary>Claims the runtime directory, then starts fresh or resumes. The exit status, one of <see cref="ExitCode"/>.</summary>
    /// <param name="options">The options of the command line.</param>
    /// <param name="reExecuted">The state of the daemon that executed this program; null without one. The caller owns it.</param>
    /// <param name="logging">The log.</param>
    /// <param name="reject">Reports the errors of the configuration.</param>
    public static int Run(StartOptions options, PreviousDaemonState? reExecuted, LogSetup logging, Action reject)
    {
        var log = logging.Log;
        var paths = new RuntimePaths(options.Directory);
        var configured = options.Configured.Errors.IsEmpty ? options.Configured.Config : null;
        PreviousDaemonState? takenOver = null;
        string? error = null;
        using var claim = reExecuted?.Descriptors.Take(DescriptorKey.Lock) is { } locked
            ? InstanceLock.Adopt(locked)
            : InstanceClaim.TryClaim(paths, configured, options.ConfigFile, options.TakeOver, log, out takenOver, out error);
        if (claim is null)
        {
            log.Kind(MessageIds.DaemonRefused).Fatal("{Error}", error);
            reject();
            return ExitCode.Failed;
        }

        string? refusal = null;
        using var previous = reExecuted ?? takenOver
            ?? CrashRecovery.Recover(paths, IncomingDescriptors.IsStored ? IncomingDescriptors.FromListenFds() : null, log, out refusal);
        if (refusal is not null)
        {
            log.Kind(MessageIds.DaemonRefused).Fatal("{Error}", refusal);
            return ExitCode.Failed;
        }

        if ((previous?.Config ?? configured) is not { } config)
        {
            reject();
            return ExitCode.InvalidConfiguration;
        }

        PathTrust.InForce = PathAudit.Trust(config.Daemon);
        var system = new DaemonSystem();
        var info = new DaemonInfo(
            options.ConfigFile, paths, options.IsDirectoryGiven,
            previous?.Manifest.StartedAt ?? system.Time.GetUtcNow(), previous?.Upgrades ?? 0);
        var changed = previous is null ? null : Changed(options.Configured, configured, previous);
        var origin = previous is { IsSameProcess: true } || changed is not null
            ? previous!.Manifest.Config.Origin ?? new ConfigOrigin()
            : new ConfigOrigin { Hash = options.Configured.Stamp?.Hash, LoadedAt = system.Time.GetUtcNow() };

        // A configuration from a predecessor is what its files said to the predecessor.
        config = previous is { IsSameProcess: true } || changed is not null ? config : config with { Stamp = options.Configured.Stamp };
        var request = new StartRequest(config, origin, info, claim, options.Executable, system, log, logging.IsJournal, logging.Flush);
        return previous is null
            ? FreshStart.Run(request)
            : ResumedStart.Run(request, previous, changed);
    }

    /// <summary>
    /// The configuration to apply when the daemon serves; null for none. Only a start applies the files again, not a re-execution.
    /// </summary>
    private static ConfigResult? Changed(ConfigResult result, ListendConfig? configured, PreviousDaemonState previous) =>
        !previous.IsSameProcess && (configured is null || PreviousDaemonState.IsOther(previous.Manifest.Config, configured))
            ? result
            : null;
}
