using System.Collections.Immutable;
using System.Text.Json;
using Supervisor.Core.Listeners;
using Supervisor.Core.Services;

namespace Supervisor.Core.State;

/// <summary>
/// The state that a successor of the daemon needs to continue: one document for all ways of succession (re-execution, restart,
/// recovery, take-over). It lists descriptors by key (<see cref="DescriptorKey"/>); each way passes them differently.
/// </summary>
/// <remarks>
/// Times of the state machines are spans from <see cref="Clock"/>, a point of CLOCK_MONOTONIC, which all processes of one boot
/// share. A successor whose loop uses the same zero needs no conversion. The state is invalid on another boot, which
/// <see cref="BootId"/> shows. <see cref="ManifestFormat"/> reads and writes it.
/// </remarks>
public sealed record DaemonManifest
{
    /// <summary>The document's format; <see cref="ManifestFormat.Current"/>.</summary>
    public required int Format { get; init; }

    /// <summary>The oldest format that a reader must know to take over from this document.</summary>
    public required int LeastReader { get; init; }

    /// <summary>The version of the daemon that wrote the document.</summary>
    public required string Version { get; init; }

    /// <summary>The process id of that daemon.</summary>
    public required int Pid { get; init; }

    /// <summary>/proc/sys/kernel/random/boot_id.</summary>
    public required string BootId { get; init; }

    /// <summary>The zero of all time spans in the document: nanoseconds of CLOCK_MONOTONIC.</summary>
    public required long Clock { get; init; }

    /// <summary>When the daemon first started, by the wall clock; upgrades do not change it.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>
    /// The beginning of all tokens of workers and hooks, a secret, by which a successor recognises them. Null if an older
    /// version wrote the document.
    /// </summary>
    public string? TokenMark { get; init; }

    /// <summary>How often the daemon has replaced its program since then.</summary>
    public int Upgrades { get; init; }

    /// <summary>The active configuration.</summary>
    public required ConfigEntry Config { get; init; }

    /// <summary>The listeners: configured ones in the configuration's order, then given ones.</summary>
    public required ImmutableArray<ListenerEntry> Listeners { get; init; }

    /// <summary>The services, in the configuration's order.</summary>
    public required ImmutableArray<ServiceEntry> Services { get; init; }

    /// <summary>The event stream; null if it is not passed on.</summary>
    public StreamEntry? Events { get; init; }

    /// <summary>The number of each descriptor by its key; null if descriptors are not inherited by number.</summary>
    public IReadOnlyDictionary<string, int>? Descriptors { get; init; }

    /// <summary>What the keeper holds of the descriptors; null if that is not known.</summary>
    public HeldEntry? Held { get; init; }
}

/// <summary>
/// The descriptors that the keeper holds: duplicates of the ones that are handed over. An older version that does not know this passes
/// it on unchanged, while its keeper may have changed. So it is valid only in the state of the daemon that wrote it.
/// </summary>
/// <param name="Pid">The process id of the daemon that wrote it.</param>
/// <param name="Upgrades">That daemon's <see cref="DaemonManifest.Upgrades"/>.</param>
/// <param name="Keys">The keys.</param>
/// <param name="IsSaved">Whether a recovery finds the same state in the state's file and journal.</param>
public sealed record HeldEntry(int Pid, int Upgrades, ImmutableArray<string> Keys, bool IsSaved = false);

/// <summary>The active configuration, which may differ from its files.</summary>
public sealed record ConfigEntry
{
    /// <summary>The main file; null if the daemon was configured on the command line.</summary>
    public string? File { get; init; }

    /// <summary><c>daemon.runtime_directory</c>.</summary>
    public string? RuntimeDirectory { get; init; }

    /// <summary><c>daemon.control_group</c>.</summary>
    public string? ControlGroup { get; init; }

    /// <summary><c>[access.NAME]</c>.</summary>
    public ImmutableArray<AccessRule> Access { get; init; } = [];

    /// <summary><c>daemon.metrics</c>.</summary>
    public string? Metrics { get; init; }

    /// <summary><c>daemon.metrics_hosts</c>.</summary>
    public ImmutableArray<string> MetricsHosts { get; init; } = [];

    /// <summary><c>daemon.stop_delay</c>.</summary>
    public TimeSpan StopDelay { get; init; }

    /// <summary><c>daemon.trusted_owners</c>.</summary>
    public ImmutableArray<string> TrustedOwners { get; init; } = [];

    /// <summary>When and from what it was loaded; null if an older version wrote the state.</summary>
    public ConfigOrigin? Origin { get; init; }

    /// <summary><c>[listener.NAME]</c>.</summary>
    public required ImmutableArray<ListenerSpec> Listeners { get; init; }

    /// <summary><c>[service.NAME]</c>.</summary>
    public required ImmutableArray<ServiceSpec> Services { get; init; }
}

/// <summary>When and from what the active configuration was loaded, and how the last attempt to replace it ended.</summary>
public sealed record ConfigOrigin
{
    /// <summary>A hash of its files; null without files.</summary>
    public string? Hash { get; init; }

    /// <summary>When it was loaded; null if that is not known.</summary>
    public DateTimeOffset? LoadedAt { get; init; }

    /// <summary>The last reload; null if there was none.</summary>
    public LastReload? LastReload { get; init; }
}

/// <summary>A reload.</summary>
/// <param name="At">When it ended.</param>
/// <param name="Outcome"><c>applied</c>, or <c>refused</c>: nothing was changed.</param>
/// <param name="Error">The first error of a refused one, and how many more there are; null otherwise.</param>
public sealed record LastReload(DateTimeOffset At, string Outcome, string? Error);

/// <summary>A numbered stream that keeps its newest items.</summary>
/// <param name="Newest">The newest item's number.</param>
/// <param name="Items">The kept items, oldest first, in the JSON of the stream's owner.</param>
public sealed record StreamEntry(long Newest, ImmutableArray<JsonElement> Items);
