namespace Supervisor.Control;

/// <summary>One change of state, as <c>GET /v1/events</c> tells it.</summary>
/// <param name="Seq">Number, from 1 at the daemon's start; also the <c>id:</c> of the server-sent event.</param>
/// <param name="At">When.</param>
/// <param name="Kind">
/// What: daemon-started, daemon-upgraded, daemon-recovered, daemon-took-over, daemon-upgrade-refused, daemon-takeover-failed,
/// daemon-leaving; listener-made, listener-failed, listener-drifted, listener-repaired; service-state;
/// worker-spawned, worker-ready, worker-start-timeout, worker-hung, worker-draining, worker-connections, worker-keeps-accepting,
/// worker-killed, worker-cut, worker-left, worker-died,
/// worker-backoff, worker-finished; rollout-started, rollout-progressed, rollout-failing, rollout-ended; events-lost,
/// which only a reader that came too late for some gets. Also the <c>event:</c> of the server-sent event.
/// </param>
/// <param name="Service">The service that it is about; null where it is about none.</param>
/// <param name="Listener">The listener that it is about; null where it is about none.</param>
/// <param name="Worker">The worker that it is about; null where it is about none.</param>
/// <param name="State">Of service-state: the new state.</param>
/// <param name="Rollout">The roll-out that it is about, as it stood then.</param>
/// <param name="Message">The line for people.</param>
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
    /// <summary>Of worker-connections, worker-keeps-accepting and worker-cut: what the worker has, or had, left.</summary>
    public DrainDocument? Drain { get; init; }
}

/// <summary>A worker in an event.</summary>
/// <param name="Pid">Process id; null where it never came to be.</param>
/// <param name="Slot">Slot, from 0.</param>
/// <param name="Generation">Generation.</param>
public sealed record EventWorkerDocument(int? Pid, int Slot, int Generation);
