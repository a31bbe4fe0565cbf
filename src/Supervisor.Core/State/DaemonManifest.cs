using System.Collections.Immutable;
using System.Text.Json;
using Supervisor.Core.Listeners;
using Supervisor.Core.Services;

namespace Supervisor.Core.State;

/// <summary>
/// Everything that a successor of the daemon has to know to go on as if it were the same: one document for every way in
/// which a daemon is succeeded (re-exec, restart, death, a successor beside it). Descriptors stand in it by key
/// (<see cref="DescriptorKey"/>); how those that belong to the keys travel is each way's own.
/// </summary>
/// <remarks>
/// Times of the machines are spans on the clock of <see cref="Clock"/>, a point of CLOCK_MONOTONIC, which every process of
/// one boot shares: a successor whose loop begins at the same point needs no translation. On another boot nothing of this
/// is true any more, and <see cref="BootId"/> says so. Written and read by <see cref="ManifestFormat"/>.
/// </remarks>
public sealed record DaemonManifest
{
    /// <summary>The layout that this document is written in; <see cref="ManifestFormat.Current"/>.</summary>
    public required int Format { get; init; }

    /// <summary>The oldest layout that a reader may know to take over from this document.</summary>
    public required int LeastReader { get; init; }

    /// <summary>The version of the daemon that wrote it.</summary>
    public required string Version { get; init; }

    /// <summary>Its process id.</summary>
    public required int Pid { get; init; }

    /// <summary>/proc/sys/kernel/random/boot_id.</summary>
    public required string BootId { get; init; }

    /// <summary>The zero of every time span in here: nanoseconds of CLOCK_MONOTONIC.</summary>
    public required long Clock { get; init; }

    /// <summary>When the daemon started, by the wall clock; upgrades do not change it.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>What the token of each worker and hook begins with, a secret: so a successor knows them. Null where an older version wrote this.</summary>
    public string? TokenMark { get; init; }

    /// <summary>How often it has replaced itself since.</summary>
    public int Upgrades { get; init; }

    /// <summary>The configuration that is in force.</summary>
    public required ConfigEntry Config { get; init; }

    /// <summary>The listeners, in the configuration's order; given ones behind.</summary>
    public required ImmutableArray<ListenerEntry> Listeners { get; init; }

    /// <summary>The services, in the configuration's order.</summary>
    public required ImmutableArray<ServiceEntry> Services { get; init; }

    /// <summary>The event stream; null where it stays behind.</summary>
    public StreamEntry? Events { get; init; }

    /// <summary>The number of each descriptor by its key, where they are inherited by number; null where they travel otherwise.</summary>
    public ImmutableSortedDictionary<string, int>? Descriptors { get; init; }
}

/// <summary>The configuration that is in force, which need not be what its files say now.</summary>
public sealed record ConfigEntry
{
    /// <summary>The main file; null where the daemon runs from a command line.</summary>
    public string? File { get; init; }

    /// <summary><c>daemon.runtime_directory</c>.</summary>
    public string? RuntimeDirectory { get; init; }

    /// <summary><c>daemon.metrics</c>.</summary>
    public string? Metrics { get; init; }

    /// <summary><c>daemon.metrics_hosts</c>.</summary>
    public ImmutableArray<string> MetricsHosts { get; init; } = [];

    /// <summary><c>daemon.trusted_owners</c>.</summary>
    public ImmutableArray<string> TrustedOwners { get; init; } = [];

    /// <summary><c>[listener.NAME]</c>.</summary>
    public required ImmutableArray<ListenerSpec> Listeners { get; init; }

    /// <summary><c>[service.NAME]</c>.</summary>
    public required ImmutableArray<ServiceSpec> Services { get; init; }
}

/// <summary>A numbered stream of which the newest items are kept.</summary>
/// <param name="Newest">The newest item's number.</param>
/// <param name="Items">The kept items, oldest first, as whoever keeps them writes them.</param>
public sealed record StreamEntry(long Newest, ImmutableArray<JsonElement> Items);
