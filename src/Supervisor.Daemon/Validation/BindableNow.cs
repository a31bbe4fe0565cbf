using Supervisor.Config;
using Supervisor.Config.Diagnostics;
using Supervisor.Config.Settings;
using Supervisor.Control;
using Supervisor.Core;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Linux.Continuity;
using Supervisor.Linux.Evidence;
using Supervisor.Native;

namespace Supervisor.Daemon.Validation;

/// <summary>
/// Rule: the kernel would bind each listener and the address of the metrics now. Changes nothing and leaves no file. Sockets
/// of the daemon in the same runtime directory do not conflict.
/// </summary>
internal static class BindableNow
{
    public static IEnumerable<ConfigDiagnostic> Check(ParsedConfig config)
    {
        var readable = config.Readable;
        var duplicates = config.Diagnostics.Select(found => found.Bind?.Listener).ToHashSet();
        var directory = TrustedRuntimeDirectory.Of(readable);
        var daemon = directory is not null && LockHolder.Of(new RuntimePaths(directory).LockFile) is { Lives: true } running
            ? running.Pid
            : null;
        var sockets = daemon is { } pid ? SocketsOf(pid) : [];
        var budget = new EvidenceBudget(TimeProvider.System, EvidenceBudget.OfCommand);
        var metrics = readable.Daemon.MetricsListener;
        foreach (var spec in (metrics is null ? readable.Listeners : readable.Listeners.Add(metrics))
            .Where(spec => !duplicates.Contains(spec.Name) && !IsHeldBy(sockets, spec)))
        {
            var services = readable.Services.Where(service => service.Listeners.Contains(spec.Name)).Select(service => service.Name);
            var diagnosis = BindDiagnostics.Ask(spec, LeftoverHolders.Of(services), budget);
            if (!diagnosis.Bindable && !IsTheDaemons(diagnosis, daemon)
                && !(diagnosis.Cause == BindCause.StaleUnixPath && spec.Unix.RemoveStale))
            {
                var found = Diagnostic(spec.Name, diagnosis, config.Places);
                yield return diagnosis.Retry && spec.ConflictWait > TimeSpan.Zero ? Waits(found, diagnosis, spec.ConflictWait) : found;
            }
        }
    }

    /// <summary>A listener that cannot be bound, at its address.</summary>
    public static ConfigDiagnostic Diagnostic(string listener, BindDiagnosis diagnosis, ConfigPlaces places)
    {
        var found = listener == DaemonConfig.MetricsSetting
            ? places.Diagnostic("daemon", null, "metrics", diagnosis.Verdict, diagnosis.Advice)
            : places.Diagnostic("listener", listener, "address", diagnosis.Verdict, diagnosis.Advice);
        return found with { Bind = new BindFailure(listener, diagnosis) };
    }

    /// <summary>A start waits for an address that can become free, so it stops nothing.</summary>
    private static ConfigDiagnostic Waits(ConfigDiagnostic found, BindDiagnosis diagnosis, TimeSpan wait) => found with
    {
        Bind = null,
        IsWarning = true,
        Message = $"cannot be bound now: {diagnosis.Errno}: {found.Message}; a start waits for it for {Duration.Rounded(wait)}",
    };

    /// <summary>All sockets of a process, by inode; none without the right to see them.</summary>
    private static HashSet<ulong> SocketsOf(int pid)
    {
        var sockets = new HashSet<ulong>();
        OpenFiles.Read(pid, [], (_, inode) => sockets.Add(inode), static _ => { }, long.MaxValue, out _);
        return sockets;
    }

    /// <summary>
    /// Whether nothing but these sockets has the address, by what the kernel says of the address alone. The search for processes reads
    /// /proc as a whole; it would do so once for each of a running daemon's listeners.
    /// </summary>
    private static bool IsHeldBy(HashSet<ulong> sockets, ListenerSpec spec)
    {
        if (sockets.Count == 0 || BindDiagnostics.IsHeldBy(spec, sockets))
        {
            return sockets.Count > 0;
        }

        var diagnosis = BindDiagnostics.Ask(spec, LeftoverHolders.Of([]), new EvidenceBudget(TimeProvider.System, TimeSpan.Zero));
        return !diagnosis.Bindable && !diagnosis.Holders.IsEmpty && diagnosis.Holders.All(holder => sockets.Contains(holder.Inode));
    }

    private static bool IsTheDaemons(BindDiagnosis diagnosis, int? daemon) =>
        daemon is { } pid && !diagnosis.Holders.IsEmpty
            && diagnosis.Holders.All(holder => holder.Processes.Any(process => process.Pid == pid));
}
