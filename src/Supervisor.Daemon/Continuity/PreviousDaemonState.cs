using Supervisor.Config;
using Supervisor.Config.Settings;
using Supervisor.Core;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.State;
using Supervisor.Daemon.Model;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Daemon.Continuity;

/// <summary>How a daemon came to continue a previous one.</summary>
internal enum SuccessionWay
{
    /// <summary>The same process executed this program.</summary>
    ReExecuted,

    /// <summary>This process took over from a daemon that ran, and exited for it.</summary>
    TookOver,

    /// <summary>The previous daemon had exited without a hand-over; its state was found.</summary>
    Recovered,
}

/// <summary>
/// The state of a previous daemon, and its descriptors as far as they were found. Owns the descriptors.
/// </summary>
/// <param name="way">How this daemon got them.</param>
/// <param name="manifest">The state.</param>
/// <param name="unknown">What a newer version wrote into the state and this one does not know.</param>
/// <param name="descriptors">The descriptors.</param>
/// <param name="fromKeeper">Those that the previous daemon's keeper has passed on, and still has; null if none.</param>
internal sealed class PreviousDaemonState(
    SuccessionWay way, DaemonManifest manifest, UnknownFields unknown, IncomingDescriptors descriptors,
    IReadOnlySet<DescriptorHandle>? fromKeeper = null) : IDisposable
{
    private string? _note;

    /// <summary>How this daemon continues.</summary>
    public SuccessionWay Way => way;

    /// <summary>The state.</summary>
    public DaemonManifest Manifest => manifest;

    /// <summary>What a newer version wrote into the state and this one does not know. It is passed on.</summary>
    public UnknownFields Unknown => unknown;

    /// <summary>The descriptors that are not taken yet.</summary>
    public IncomingDescriptors Descriptors => descriptors;

    /// <summary>
    /// The text of the state that histories refer to until they are copied, which this owns; null if they keep it themselves.
    /// </summary>
    public IDisposable? Text { private get; init; }

    /// <summary>
    /// What the previous daemon's holder has, by key: the descriptors that came from its keeper; null where only the key is known.
    /// </summary>
    public IReadOnlyDictionary<string, DescriptorHandle?> Held { get; } = HeldBefore(manifest, descriptors, fromKeeper);

    /// <summary>
    /// Whether another successor would find the same state if this process died now: the first checkpoint need not be complete at once.
    /// </summary>
    public bool IsSaved => way == SuccessionWay.Recovered || (IsOfWriter(manifest) && manifest.Held!.IsSaved);

    /// <summary>Whether the previous daemon was this process, so its workers are this process's children.</summary>
    public bool IsSameProcess => way == SuccessionWay.ReExecuted;

    /// <summary>Where the listeners come from, for their histories.</summary>
    public HandleOrigin Origin => IsSameProcess ? HandleOrigin.InheritedUpgrade : HandleOrigin.Recovered;

    /// <summary>The system call that gave the descriptors, for the histories.</summary>
    public string Call { get; init; } = way == SuccessionWay.ReExecuted ? "execve" : "recvmsg";

    /// <summary>The MESSAGE_ID of the log line of the succession.</summary>
    public string MessageId => way switch
    {
        SuccessionWay.ReExecuted => MessageIds.DaemonReExecuted,
        SuccessionWay.TookOver => MessageIds.DaemonTookOver,
        SuccessionWay.Recovered => MessageIds.DaemonRecovered,
        _ => throw new InvalidOperationException(way.ToString()),
    };

    /// <summary>The kind of the succession's event.</summary>
    public string EventKind => way switch
    {
        SuccessionWay.ReExecuted => "daemon-upgraded",
        SuccessionWay.TookOver => "daemon-took-over",
        SuccessionWay.Recovered => "daemon-recovered",
        _ => throw new InvalidOperationException(way.ToString()),
    };

    /// <summary>The succession in words, for the log, the event and the histories.</summary>
    public string Note => _note ??= way switch
    {
        SuccessionWay.ReExecuted =>
            $"re-executed: listend {manifest.Version} (pid {manifest.Pid}) is now listend {DaemonInfo.Version}, upgrade {Upgrades}",
        SuccessionWay.TookOver => $"{Self} took over from a running daemon (listend {manifest.Version}, pid {manifest.Pid})",
        SuccessionWay.Recovered => $"{Self} recovered from a previous daemon (listend {manifest.Version}, pid {manifest.Pid}, exited)",
        _ => throw new InvalidOperationException(way.ToString()),
    };

    /// <summary>How often the daemon has re-executed itself, this time included.</summary>
    public int Upgrades => IsSameProcess ? manifest.Upgrades + 1 : manifest.Upgrades;

    /// <summary>The configuration that was in force, with which this daemon continues.</summary>
    public ListendConfig Config => new()
    {
        Daemon = new DaemonConfig
        {
            RuntimeDirectory = manifest.Config.RuntimeDirectory,
            ControlGroup = manifest.Config.ControlGroup,
            Access = manifest.Config.Access,
            Metrics = manifest.Config.Metrics,
            MetricsHosts = manifest.Config.MetricsHosts,
            StopDelay = manifest.Config.StopDelay,
            TrustedOwners = manifest.Config.TrustedOwners,
        },
        Listeners = manifest.Config.Listeners,
        Services = manifest.Config.Services,
    };

    /// <summary>
    /// Whether a configuration differs from the one that a daemon wrote into its state, apart from its file and runtime directory.
    /// </summary>
    public static bool IsOther(ConfigEntry before, ListendConfig now) => !ManifestFormat.AreSame(
        before with { File = null, RuntimeDirectory = null, Origin = null },
        new ConfigEntry
        {
            ControlGroup = now.Daemon.ControlGroup,
            Access = now.Daemon.Access,
            Metrics = now.Daemon.Metrics,
            MetricsHosts = now.Daemon.MetricsHosts,
            StopDelay = now.Daemon.StopDelay,
            TrustedOwners = now.Daemon.TrustedOwners,
            Listeners = now.Listeners,
            Services = now.Services,
        });

    /// <summary>Whether the daemon that wrote the state has written <see cref="DaemonManifest.Held"/> too.</summary>
    private static bool IsOfWriter(DaemonManifest manifest) =>
        manifest.Held is { } held && held.Pid == manifest.Pid && held.Upgrades == manifest.Upgrades;

    private static Dictionary<string, DescriptorHandle?> HeldBefore(
        DaemonManifest manifest, IncomingDescriptors descriptors, IReadOnlySet<DescriptorHandle>? fromKeeper)
    {
        var named = IsOfWriter(manifest) ? manifest.Held!.Keys.ToHashSet(StringComparer.Ordinal) : [];
        return descriptors.Remaining.Where(DescriptorKey.OutlivesProcess).ToDictionary(
            key => key,
            key => named.Contains(key) || fromKeeper?.Contains(descriptors.Peek(key)!) == true ? descriptors.Peek(key) : null);
    }

    private static string Self => $"listend {DaemonInfo.Version} (pid {Processes.CurrentPid})";

    /// <summary>
    /// Makes each history independent of the text of the state, in steps, and gives up that memory. Nothing else may use it any more.
    /// </summary>
    public IEnumerable<int> ReleaseText()
    {
        var steps = 0;
        foreach (var listener in manifest.Listeners)
        {
            listener.History.Unread?.Own();
            yield return ++steps;
        }

        Text?.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose() => descriptors.Dispose();
}
