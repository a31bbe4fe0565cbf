using System.Collections.Immutable;
using System.Text.Json;
using Supervisor.Control;
using Supervisor.Core.State;
using Supervisor.Daemon.Control;
using Supervisor.Daemon.Runtime;
using Supervisor.Linux.Continuity;
using Supervisor.Linux.Handoff;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Native;

namespace Supervisor.Daemon.Continuity;

/// <summary>The daemon's whole state as a manifest. On the loop.</summary>
internal static class DaemonState
{
    /// <summary>This boot, of which alone a state is true.</summary>
    public static string BootId { get; } = Read("/proc/sys/kernel/random/boot_id");

    /// <summary>The listeners' state. With <paramref name="descriptors"/> theirs are collected too.</summary>
    public static ImmutableArray<ListenerEntry> Listeners(DaemonProcess daemon, ConflictWatch conflicts, OutgoingDescriptors? descriptors) =>
        [.. daemon.Listeners.Handles.Select(handle => ListenerSnapshot.Of(handle, descriptors, conflicts.GivesUp(handle)))];

    /// <summary>
    /// The state, with those listeners. With <paramref name="descriptors"/> the workers' are collected too; with
    /// <paramref name="withStreams"/> events and output are in it.
    /// </summary>
    public static DaemonManifest Of(DaemonProcess daemon, ImmutableArray<ListenerEntry> listeners, OutgoingDescriptors? descriptors, bool withStreams)
    {
        var config = daemon.Config;
        return new DaemonManifest
        {
            Format = ManifestFormat.Current,
            LeastReader = ManifestFormat.LeastReader,
            Version = DaemonProcess.Version,
            Pid = Processes.CurrentPid,
            BootId = BootId,
            Clock = daemon.Loop.Origin,
            StartedAt = daemon.StartedAt,
            TokenMark = daemon.Tokens.Mark,
            Upgrades = daemon.Upgrades,
            Config = new ConfigEntry
            {
                File = daemon.ConfigFile,
                RuntimeDirectory = daemon.Paths.Directory,
                Metrics = config.Daemon.Metrics,
                MetricsHosts = config.Daemon.MetricsHosts,
                TrustedOwners = config.Daemon.TrustedOwners,
                Listeners = config.Listeners,
                Services = config.Services,
            },
            Listeners = listeners,
            Services = [.. daemon.Services.Select(runner => runner.Snapshot(descriptors, withStreams))],
            Events = withStreams ? Stream(daemon) : null,
        };
    }

    /// <summary>The state with everything that belongs to it, for a successor that takes over in this very moment: events, output, the lock and the daemon's own sockets too.</summary>
    public static DaemonManifest Whole(DaemonProcess daemon, ConflictWatch conflicts, ControlServer control, Broker broker, InstanceLock claim, OutgoingDescriptors descriptors)
    {
        descriptors.Add(DescriptorKey.Lock, claim.Descriptor);
        descriptors.Add(DescriptorKey.Control, control.Listener);
        descriptors.Add(DescriptorKey.Broker, broker.Listener);
        descriptors.Add(DescriptorKey.FdHolder, daemon.StateCheckpointer.Link);
        broker.Snapshot(descriptors);
        return Of(daemon, Listeners(daemon, conflicts, descriptors), descriptors, withStreams: true);
    }

    private static StreamEntry Stream(DaemonProcess daemon)
    {
        var (events, _, _) = daemon.Events.Events.After(0, int.MaxValue);
        return new StreamEntry(
            daemon.Events.Events.Newest,
            [.. events.Select(one => JsonSerializer.SerializeToElement(one, ControlJson.Default.EventDocument))]);
    }

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
