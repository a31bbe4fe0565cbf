using System.Collections.Immutable;
using System.Text.Json;
using Supervisor.Core.Listeners;
using Supervisor.Core.Services;

namespace Supervisor.Core.State;

/// <summary>
/// Everything that a successor has to know to continue as if it were the same daemon: one document for a re-execution, a
/// take-over and a recovery. Descriptors are named by key (<see cref="DescriptorKey"/>); each way of succession passes them in its
/// own manner.
/// </summary>
/// <remarks>
/// Times are spans since <see cref="Clock"/>, a point of CLOCK_MONOTONIC, which all processes of one boot share: a successor whose
/// loop begins at the same point needs no translation. After another boot (<see cref="BootId"/>) nothing in it is true any more.
/// Written and read by <see cref="ManifestFormat"/>.
/// </remarks>
public sealed record DaemonManifest
{
    /// <summary>The layout that this document is written in; <see cref="ManifestFormat.Current"/>.</summary>
    public required int Format { get; init; }

    /// <summary>The oldest layout that a reader of this document may know.</summary>
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

    /// <summary>
    /// What the token of each worker and hook begins with, a secret: so a successor knows them. Null where an older version wrote
    /// this.
    /// </summary>
    public string? TokenMark { get; init; }

    /// <summary>How often it has re-executed itself since.</summary>
    public int Upgrades { get; init; }

    /// <summary>The configuration that is in force.</summary>
    public required ConfigEntry Config { get; init; }

    /// <summary>The listeners, in the configuration's order; given ones behind.</summary>
    public required ImmutableArray<ListenerEntry> Listeners { get; init; }

    /// <summary>The services, in the configuration's order.</summary>
    public required ImmutableArray<ServiceEntry> Services { get; init; }

    /// <summary>The event stream; null where it is not passed on.</summary>
    public StreamEntry? Events { get; init; }

    /// <summary>The number of each descriptor by its key, after a re-execution; null in the other ways.</summary>
    public ImmutableSortedDictionary<string, int>? Descriptors { get; init; }
}

/// <summary>The configuration that is in force. Its files may have changed since.</summary>
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
/// <param name="Items">The kept items, oldest first.</param>
public sealed record StreamEntry(long Newest, ImmutableArray<JsonElement> Items);
