using System.Text.Json.Serialization;
using Supervisor.Core.Workers;

namespace Supervisor.Core.Services;

/// <summary>Why the daemon stops a worker.</summary>
public enum EndReason
{
    /// <summary>It does not: the worker serves, or exits on its own initiative.</summary>
    None,

    /// <summary>It is no longer needed. Its exit is not a failure.</summary>
    Requested,

    /// <summary>It was not ready within start_timeout.</summary>
    StartTimedOut,

    /// <summary>It hangs, by its watchdog or its own report.</summary>
    Hung,
}

/// <summary>Why a worker that serves is to be replaced.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ReplacementCause>))]
public enum ReplacementCause
{
    /// <summary>It is not.</summary>
    None = 0,

    /// <summary>It is older than recycle.max_age.</summary>
    Age = 1,

    /// <summary>It uses more memory than recycle.max_memory.</summary>
    Memory = 2,

    /// <summary>It fails its liveness probe.</summary>
    Unhealthy = 3,

    /// <summary>It does not respond to its liveness probe at all.</summary>
    Silent = 4,

    /// <summary>A change of its limits needs another cgroup, or less memory than it uses.</summary>
    Limits = 5,
}

/// <summary>
/// One worker, from the decision to spawn it until its process has exited. Times are monotonic, since the daemon's start.
/// </summary>
public sealed record WorkerState
{
    /// <summary>Number, unique within the service.</summary>
    public required int Id { get; init; }

    /// <summary>Slot, from 0.</summary>
    public required int Slot { get; init; }

    /// <summary>Generation.</summary>
    public required int Generation { get; init; }

    /// <summary>Its connection, with <see cref="StartMode.PerConnection"/>: it has no slot of the service. Otherwise null.</summary>
    public WorkerConnection? Connection { get; init; }

    /// <summary>Its phase.</summary>
    public required WorkerPhase Phase { get; init; }

    /// <summary>Process id; null until it is spawned.</summary>
    public int? Pid { get; init; }

    /// <summary>When it was started.</summary>
    public required TimeSpan StartedAt { get; init; }

    /// <summary>When it became ready.</summary>
    public TimeSpan? ReadyAt { get; init; }

    /// <summary>When the phase has lasted too long; null: no limit.</summary>
    public TimeSpan? Deadline { get; init; }

    /// <summary>
    /// The longest interval between two WATCHDOG=1; zero: no watchdog. The service's setting, unless the worker has set its
    /// own.
    /// </summary>
    public TimeSpan Watchdog { get; init; }

    /// <summary>When the watchdog expires; null: no watchdog runs.</summary>
    public TimeSpan? WatchdogDeadline { get; init; }

    /// <summary>The earlier of <see cref="Deadline"/> and <see cref="WatchdogDeadline"/>.</summary>
    public TimeSpan? NextDeadline => Deadline is null || WatchdogDeadline < Deadline ? WatchdogDeadline : Deadline;

    /// <summary>Why the daemon stops it.</summary>
    [JsonIgnore]
    public EndReason EndReason { get; init; }

    /// <summary>The manifest's form of <see cref="EndReason"/>: whether there is a reason.</summary>
    [JsonInclude]
    internal bool EndRequested
    {
        get => EndReason != EndReason.None;
        init => EndReason = value && EndReason == EndReason.None ? EndReason.Requested : EndReason;
    }

    /// <summary>The manifest's form of <see cref="EndReason.StartTimedOut"/>.</summary>
    [JsonInclude]
    internal bool StartTimedOut
    {
        get => EndReason == EndReason.StartTimedOut;
        init => EndReason = value ? EndReason.StartTimedOut : EndReason;
    }

    /// <summary>How the hang was found; null unless <see cref="EndReason.Hung"/>.</summary>
    public string? Hang
    {
        get;
        init
        {
            field = value;
            EndReason = value is null ? EndReason : EndReason.Hung;
        }
    }

    /// <summary>The last finding of a probe, other than ready; null if there was none.</summary>
    public string? Seen { get; init; }

    /// <summary>Whether another worker of its generation takes its slot as soon as that one has settled.</summary>
    [JsonPropertyName("replaced")]
    public bool IsReplaced { get; init; }

    /// <summary>Why it is to be replaced, as soon as another one of its generation is ready.</summary>
    public ReplacementCause Due { get; init; }

    /// <summary>The same as text; null if it is not to be replaced.</summary>
    public string? DueText { get; init; }

    /// <summary>Until when no new cause counts, because its replacement has failed; null: each counts.</summary>
    public TimeSpan? NotDueBefore { get; init; }

    /// <summary>When its failed replacement is repeated; null if it does not wait for that.</summary>
    [JsonIgnore]
    public TimeSpan? RepeatedAt => Due == ReplacementCause.None ? null : NotDueBefore;

    /// <summary>How its main process ended while other processes of it may remain; null while the main process runs.</summary>
    public ExitReason? MainExit { get; init; }

    /// <summary>How many processes remained after the main process, when they were last counted.</summary>
    public int Remaining { get; init; }

    /// <summary>Whether the daemon stops it because it failed.</summary>
    public bool HasFailed => EndReason is EndReason.StartTimedOut or EndReason.Hung;

    /// <summary>When it entered its phase.</summary>
    public TimeSpan PhaseSince { get; init; }

    /// <summary>Whether the restart policy decided about its slot before its process exited.</summary>
    [JsonPropertyName("judged")]
    public bool RestartDecided { get; init; }

    /// <summary>
    /// Whether the restart policy still has to decide about its end: it exits without a stop signal, hangs, or was not ready in
    /// time.
    /// </summary>
    public bool AwaitsRestartPolicy => !IsLive && !RestartDecided && EndReason != EndReason.Requested;

    /// <summary>Whether a cause to replace it would be new.</summary>
    public bool CanBeDue => IsReplaceable && Due == ReplacementCause.None;

    /// <summary>Whether it serves and no other worker takes its slot yet.</summary>
    public bool IsReplaceable => this is { Phase: WorkerPhase.Ready, IsReplaced: false };

    /// <summary>Whether it serves, and has done so for <c>rollout.settle</c>.</summary>
    public bool IsSettled => Phase == WorkerPhase.Ready && Deadline is null;

    /// <summary>Whether it serves or is starting: it has no stop signal and does not drain.</summary>
    public bool IsLive => Phase is WorkerPhase.Starting or WorkerPhase.Ready;
}
