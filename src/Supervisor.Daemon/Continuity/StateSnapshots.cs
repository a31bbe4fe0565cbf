using System.Collections.Immutable;
using System.Text.Json;
using Supervisor.Control;
using Supervisor.Core.State;
using Supervisor.Daemon.Model;
using Supervisor.Daemon.Reports;
using Supervisor.Linux.Handoff;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
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
/// <param name="holderLink">The link to the descriptor holder; null without one.</param>
internal sealed class StateSnapshots(StateSources sources, OwnSockets own, Func<DescriptorHandle?> holderLink)
{
    /// <summary>The id of this boot. A state is valid only until the next boot.</summary>
    public static string BootId { get; } = ReadBootId();

    /// <summary>The listeners; their descriptors are added to <paramref name="descriptors"/>.</summary>
    public ImmutableArray<ListenerEntry> Listeners(OutgoingDescriptors? descriptors) =>
        [.. sources.Listeners.Handles.Select(handle => ListenerSnapshot.Of(handle, descriptors, sources.GivesUp(handle)))];

    /// <summary>
    /// The state without listeners, events and output; the services' descriptors and those of the sockets that clients connect to are
    /// added to <paramref name="descriptors"/>.
    /// </summary>
    public DaemonManifest WithoutListeners(OutgoingDescriptors descriptors)
    {
        descriptors.Add(DescriptorKey.Control, own.Control);
        descriptors.Add(DescriptorKey.Broker, own.Broker.Listener);
        return Manifest([], descriptors, withStreams: false);
    }

    /// <summary>The whole state with events and output, for a check by another executable.</summary>
    public byte[] ForCheck() => ManifestFormat.Write(Manifest(Listeners(null), null, withStreams: true), sources.Unknown);

    /// <summary>The whole state with all descriptors, for a successor that continues at once.</summary>
    public DaemonManifest Whole(OutgoingDescriptors descriptors)
    {
        descriptors.Add(DescriptorKey.Lock, own.Lock);
        descriptors.Add(DescriptorKey.Control, own.Control);
        descriptors.Add(DescriptorKey.Broker, own.Broker.Listener);
        descriptors.Add(DescriptorKey.FdHolder, holderLink());
        own.Broker.Snapshot(descriptors);
        return Manifest(Listeners(descriptors), descriptors, withStreams: true);
    }

    /// <summary>
    /// Writes a state, with what a newer version wrote into a previous one; with <paramref name="listeners"/> in place of its
    /// listeners.
    /// </summary>
    public void Write(Stream stream, DaemonManifest manifest, Action<Stream>? listeners = null) =>
        ManifestFormat.Write(stream, manifest, sources.Unknown, listeners);

    /// <summary>Writes the listeners' part of a state.</summary>
    public void WriteListeners(Stream stream, ImmutableArray<ListenerEntry> listeners) =>
        ManifestFormat.WriteListeners(stream, listeners, sources.Unknown);

    private DaemonManifest Manifest(ImmutableArray<ListenerEntry> listeners, OutgoingDescriptors? descriptors, bool withStreams)
    {
        var config = sources.Config.Current;
        return new DaemonManifest
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
            Config = new ConfigEntry
            {
                File = sources.Info.ConfigFile,
                RuntimeDirectory = sources.Info.Paths.Directory,
                Origin = sources.Config.Origin,
                Metrics = config.Daemon.Metrics,
                MetricsHosts = config.Daemon.MetricsHosts,
                TrustedOwners = config.Daemon.TrustedOwners,
                Listeners = config.Listeners,
                Services = config.Services,
            },
            Listeners = listeners,
            Services = [.. sources.Services.Select(runner => runner.Snapshot.Take(descriptors, withStreams))],
            Events = withStreams ? Events() : null,
        };
    }

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
