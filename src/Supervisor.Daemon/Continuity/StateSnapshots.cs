using System.Buffers;
using System.Collections.Immutable;
using System.Text.Json;
using Supervisor.Control;
using Supervisor.Core.State;
using Supervisor.Daemon.Model;
using Supervisor.Daemon.Reports;
using Supervisor.Linux.Handoff;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Workers;
using Supervisor.Native;

namespace Supervisor.Daemon.Continuity;

/// <summary>The parts of the daemon whose state a snapshot contains. Read on the loop.</summary>
/// <param name="Loop">The loop, whose clock the times of the state use.</param>
/// <param name="Info">What the daemon was started as.</param>
/// <param name="TokenMark">The mark by which a successor recognises the tokens of this daemon's workers.</param>
/// <param name="Config">The configuration in force.</param>
/// <param name="Listeners">The listeners.</param>
/// <param name="GivesUp">When a listener that waits for its address gives up; null if it does not wait.</param>
/// <param name="Services">The services.</param>
/// <param name="Events">What has happened.</param>
/// <param name="Unknown">What a newer previous version wrote into its state; it is written again.</param>
internal sealed record StateSources(
    EventLoop Loop,
    DaemonInfo Info,
    string TokenMark,
    ConfigInForce Config,
    ListenerTable Listeners,
    Func<ListenerHandle, TimeSpan?> GivesUp,
    ServiceTable Services,
    EventLog Events,
    UnknownFields? Unknown);

/// <summary>The daemon's own sockets, which a successor continues to serve.</summary>
/// <param name="Lock">The lock of the runtime directory.</param>
/// <param name="Control">The control socket.</param>
/// <param name="Broker">The broker, with its connections.</param>
internal sealed record OwnSockets(DescriptorHandle Lock, DescriptorHandle Control, Broker Broker);

/// <summary>Takes snapshots of the daemon's state for a successor. On the loop.</summary>
/// <param name="sources">The parts of the daemon.</param>
/// <param name="own">The daemon's own sockets.</param>
/// <param name="holder">The descriptor holder.</param>
internal sealed class StateSnapshots(StateSources sources, OwnSockets own, CrashSafeDescriptors holder)
{
    /// <summary>Saves what has changed; whether a recovery finds the present state now.</summary>
    public Func<bool> Save { get; set; } = static () => false;

    /// <summary>The id of this boot. A state is valid only until the next boot.</summary>
    public static string BootId { get; } = ReadBootId();

    /// <summary>How many listeners there are.</summary>
    public int ListenerCount => sources.Listeners.Handles.Count;

    /// <summary>A listener with its history.</summary>
    public ListenerEntry Of(ListenerHandle handle) => ListenerSnapshot.Of(handle, sources.GivesUp(handle));

    /// <summary>A listener without its history.</summary>
    public ListenerEntry WithoutHistory(ListenerHandle handle) =>
        ListenerSnapshot.Of(handle, sources.GivesUp(handle), withHistory: false);

    /// <summary><see cref="ListenerSnapshot.Fingerprint"/>.</summary>
    public int Fingerprint(ListenerHandle handle) => ListenerSnapshot.Fingerprint(handle, sources.GivesUp(handle));

    /// <summary>The sockets that clients connect to.</summary>
    public OutgoingDescriptors OwnSockets()
    {
        var descriptors = new OutgoingDescriptors();
        AddOwnSockets(descriptors);
        return descriptors;
    }

    /// <summary>
    /// Writes a whole state without events and output, in parts (<see cref="ManifestWriter.WriteInParts"/>), with what a newer version
    /// wrote into a previous one.
    /// </summary>
    public IEnumerable<int> WriteInParts(Stream stream, IEnumerable<ListenerEntry> listeners, IEnumerable<ServiceEntry> services) =>
        ManifestWriter.WriteInParts(stream, Manifest([], [], events: null), listeners, services, sources.Unknown);

    /// <summary>Writes changes as a line of the journal.</summary>
    public void Write(ArrayBufferWriter<byte> line, StateChanges changes) => JournalFormat.Write(line, changes, sources.Unknown);

    /// <summary>
    /// Writes the whole state with events and output, for a check by another executable. In parts: what is removed in the meantime is
    /// not in it.
    /// </summary>
    public IEnumerable<int> ForCheck(Stream stream, out StateDraft draft)
    {
        var manifest = Manifest([], [], Events());
        var drafted = draft = new StateDraft(manifest.Config);
        return ManifestWriter.WriteInParts(
            stream,
            manifest,
            sources.Listeners.Handles.ToArray().Where(handle => ReferenceEquals(sources.Listeners.Find(handle.Name), handle)).Select(Note),
            sources.Services.ToArray().Where(runner => ReferenceEquals(sources.Services.Find(runner.Name), runner)).Select(Entry),
            sources.Unknown,
            draft.Lists);

        ListenerEntry Note(ListenerHandle handle)
        {
            var entry = Of(handle);
            drafted.Note(handle, entry, Fingerprint(handle));
            return entry;
        }
    }

    /// <summary>
    /// The state with all descriptors, for a successor that continues at once; <see cref="Write(Stream, DaemonManifest, StateDraft?)"/> adds listeners
    /// and services.
    /// </summary>
    public DaemonManifest Whole(OutgoingDescriptors descriptors)
    {
        // First: saving passes new descriptors to the holder.
        var isSaved = Save();
        descriptors.Add(DescriptorKey.Lock, own.Lock);
        AddOwnSockets(descriptors);
        descriptors.Add(DescriptorKey.FdHolder, holder.Link);
        own.Broker.Snapshot(descriptors);
        foreach (var handle in sources.Listeners.Handles)
        {
            ListenerSnapshot.AddSockets(handle, descriptors);
        }

        foreach (var runner in sources.Services)
        {
            runner.Snapshot.AddDescriptors(descriptors);
        }

        return Manifest([], [], Events()) with { Held = Held(descriptors, isSaved) };
    }

    /// <summary>
    /// Writes a state with all listeners and services, and with what a newer version wrote into a previous one. What has not changed
    /// since <paramref name="draft"/> is copied from there.
    /// </summary>
    public void Write(Stream stream, DaemonManifest manifest, StateDraft? draft = null)
    {
        draft ??= new StateDraft(manifest.Config);
        foreach (var _ in ManifestWriter.WriteInParts(
            stream, manifest, draft.ConfigListeners(manifest.Config), draft.ConfigServices(manifest.Config),
            draft.Listeners(sources.Listeners.Handles, Fingerprint, Of), sources.Services.Select(Entry), sources.Unknown))
        {
        }
    }

    /// <summary>The configuration.</summary>
    public ConfigEntry Config()
    {
        var config = sources.Config.Current;
        return new ConfigEntry
        {
            File = sources.Info.ConfigFile,
            RuntimeDirectory = sources.Info.Paths.Directory,
            Origin = sources.Config.Origin,
            ControlGroup = config.Daemon.ControlGroup,
            Access = config.Daemon.Access,
            Metrics = config.Daemon.Metrics,
            MetricsHosts = config.Daemon.MetricsHosts,
            StopDelay = config.Daemon.StopDelay,
            TrustedOwners = config.Daemon.TrustedOwners,
            Listeners = config.Listeners,
            Services = config.Services,
        };
    }

    private static ServiceEntry Entry(ServiceRunner runner) => runner.Snapshot.Take(withOutput: true);

    private HeldEntry? Held(OutgoingDescriptors descriptors, bool isSaved) => holder.HeldOf(descriptors) is { } keys
        ? new HeldEntry(Processes.CurrentPid, sources.Info.Upgrades, [.. keys], isSaved)
        : null;

    private void AddOwnSockets(OutgoingDescriptors descriptors)
    {
        descriptors.Add(DescriptorKey.Control, own.Control);
        descriptors.Add(DescriptorKey.Broker, own.Broker.Listener);
    }

    private DaemonManifest Manifest(ImmutableArray<ListenerEntry> listeners, ImmutableArray<ServiceEntry> services, StreamEntry? events) =>
        new()
        {
            Format = ManifestFormat.Current,
            LeastReader = ManifestFormat.LeastReader,
            Version = DaemonInfo.Version,
            Pid = Processes.CurrentPid,
            BootId = BootId,
            Clock = sources.Loop.Origin,
            StartedAt = sources.Info.StartedAt,
            TokenMark = sources.TokenMark,
            Upgrades = sources.Info.Upgrades,
            Config = Config(),
            Listeners = listeners,
            Services = services,
            Events = events,
        };

    private StreamEntry Events()
    {
        var events = sources.Events.Events;
        return new StreamEntry(
            events.Newest,
            [.. events.After(0, int.MaxValue).Item1
                .Select(one => JsonSerializer.SerializeToElement(one, ControlJson.Default.EventDocument))]);
    }

    private static string ReadBootId()
    {
        try
        {
            return File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
