using Supervisor.Core;

namespace Supervisor.Control;

/// <summary>One change of state, as <c>GET /v1/events</c> sends it.</summary>
/// <param name="Seq">Number, from 1 at the daemon's start; also the <c>id:</c> of the server-sent event.</param>
/// <param name="At">When.</param>
/// <param name="Kind">
/// One of daemon-started, daemon-upgraded, daemon-recovered, daemon-took-over, daemon-upgrade-refused, daemon-takeover-failed,
/// daemon-leaving; change-requested, reloaded, reload-refused, service-removed, listener-dropped; listener-made, listener-failed,
/// listener-drifted, listener-overflow, listener-repaired; service-state, service-demand, service-idle, service-autoscaled,
/// service-limit-refused, service-probe-unable, service-probe-never-passed; worker-out-of-memory, worker-memory-high, worker-spawned,
/// worker-pinned, worker-pin-lost, worker-ready, worker-start-timeout, worker-hung, worker-draining, worker-connections,
/// worker-keeps-accepting, worker-killed, worker-cut, worker-left, worker-died, worker-backoff, worker-crash-loop, worker-finished;
/// rollout-started, rollout-progressed, rollout-waiting, rollout-canary, rollout-promoted, rollout-failing, rollout-ended;
/// hook-failed; events-lost, for a reader that is too slow and misses events. Also the <c>event:</c> of the
/// server-sent event.
/// </param>
/// <param name="Service">The service; null if the event does not concern one.</param>
/// <param name="Listener">The listener; null if the event does not concern one.</param>
/// <param name="Worker">The worker; null if the event does not concern one.</param>
/// <param name="State">In service-state: the new state.</param>
/// <param name="Rollout">The state of the roll-out at the time of the event.</param>
/// <param name="Message">The same as text.</param>
public sealed record EventDocument(
    long Seq,
    DateTimeOffset At,
    string Kind,
    string? Service,
    string? Listener,
    EventWorkerDocument? Worker,
    string? State,
    RolloutDocument? Rollout,
    string Message)
{
    /// <summary>In worker-connections, worker-keeps-accepting and worker-cut: what the worker still has, or had, to finish.</summary>
    public DrainDocument? Drain { get; init; }

    /// <summary>In listener-overflow: the generation that was in charge; null if there was none, or several.</summary>
    public int? Generation { get; init; }

    /// <summary>In listener-overflow: the shard; null if the listener has one socket, or if several shards are meant.</summary>
    public int? Shard { get; init; }

    /// <summary>Who requested the change; null if no client did, or if that is unknown.</summary>
    public Requester? By { get; init; }
}

/// <summary>A worker in an event.</summary>
/// <param name="Pid">Process id; null if the spawn failed.</param>
/// <param name="Slot">Slot, from 0.</param>
/// <param name="Generation">Generation.</param>
public sealed record EventWorkerDocument(int? Pid, int Slot, int Generation);
