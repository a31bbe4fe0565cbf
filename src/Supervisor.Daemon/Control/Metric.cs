namespace Supervisor.Daemon.Control;

/// <summary>A metric of the daemon.</summary>
/// <param name="Name">Its name; a counter's ends with <c>_total</c>.</param>
/// <param name="Type"><c>gauge</c> or <c>counter</c>.</param>
/// <param name="Labels">The names of its labels.</param>
/// <param name="Help">What it says, as one sentence without a full stop.</param>
internal sealed record Metric(string Name, string Type, string[] Labels, string Help)
{
    private const string Gauge = "gauge";
    private const string Counter = "counter";
    private static readonly string[] None = [];
    private static readonly string[] Listener = ["listener"];
    private static readonly string[] Shard = ["listener", "shard"];
    private static readonly string[] OfGeneration = ["listener", "generation"];
    private static readonly string[] Service = ["service"];
    private static readonly string[] Worker = ["service", "worker", "generation"];

    public static readonly Metric Info = new("listend_info", Gauge, ["version"], "always 1");

    public static readonly Metric StartTime =
        new("listend_start_time_seconds", Gauge, None, "when the first daemon of this chain of upgrades started, in seconds since 1970");

    public static readonly Metric Upgrades = new("listend_upgrades_total", Counter, None, "how often the daemon has replaced its program");

    public static readonly Metric ConfigDiffers = new(
        "listend_config_differs", Gauge, None, "1 if the configuration files are not what the daemon runs; none if they cannot be read");

    public static readonly Metric ConfigHash =
        new("listend_config_info", Gauge, ["hash"], "always 1; the hash of the configuration that the daemon runs");

    public static readonly Metric LastReloadSuccess = new(
        "listend_config_last_reload_success", Gauge, None, "1 if the last reload was applied, 0 if it was refused; none before one");

    public static readonly Metric LastReloadTime =
        new("listend_config_last_reload_timestamp_seconds", Gauge, None, "when the last reload ended, in seconds since 1970");

    public static readonly Metric ListenerUp = new("listend_listener_up", Gauge, Listener, "1 if the listener has a socket");

    public static readonly Metric QueueLength =
        new("listend_listener_queue_length", Gauge, Listener, "connections that wait for accept(); a sum over the shards");

    public static readonly Metric QueueLimit =
        new("listend_listener_queue_limit", Gauge, Listener, "the effective backlog; a sum over the shards");

    public static readonly Metric Drops = new(
        "listend_listener_drops_total", Counter, Listener, "connections and datagrams that the kernel dropped at the sockets (SO_MEMINFO)");

    public static readonly Metric Drifts = new(
        "listend_listener_drift_total", Counter, Listener, "how often a program has changed an option or the file of the listener");

    public static readonly Metric Repairs =
        new("listend_listener_repairs_total", Counter, Listener, "how often listend has restored what was changed");

    public static readonly Metric Drifted =
        new("listend_listener_drifted", Gauge, Listener, "how many options differ from what listend has set");

    public static readonly Metric ShardQueueLength =
        new("listend_shard_queue_length", Gauge, Shard, "connections that wait for accept() at one shard; only with several shards");

    public static readonly Metric ShardQueueLimit = new("listend_shard_queue_limit", Gauge, Shard, "the effective backlog of the shard");

    public static readonly Metric ShardDrops =
        new("listend_shard_drops_total", Counter, Shard, "connections and datagrams that the kernel dropped at the shard");

    public static readonly Metric Steered = new(
        "listend_listener_steered", Gauge, Listener, "1 if the kernel steers, 0 if it cannot; only with steering or affinity");

    public static readonly Metric FlowsLimit =
        new("listend_listener_flows_limit", Gauge, Listener, "the most flows that are recorded; only with affinity");

    public static readonly Metric FlowsEvicted = new(
        "listend_listener_flows_evicted_total", Counter, Listener,
        "flows that the kernel has dropped to make room for others; only with affinity");

    public static readonly Metric Selected = new(
        "listend_listener_selected_total", Counter, OfGeneration,
        "what the kernel has given to the generation: connections, flows with affinity, else datagrams");

    public static readonly Metric ShareRatio = new(
        "listend_listener_share_ratio", Gauge, OfGeneration, "the part of new connections that the generation gets, 0 to 1");

    public static readonly Metric Flows =
        new("listend_listener_flows", Gauge, OfGeneration, "living flows of the generation; only with affinity");

    public static readonly Metric State =
        new("listend_service_state", Gauge, ["service", "state"], "1 for the state of the service, 0 for the others");

    public static readonly Metric Desired =
        new("listend_service_workers_desired", Gauge, Service, "how many workers the service should have");

    public static readonly Metric Ready = new("listend_service_workers_ready", Gauge, Service, "how many workers are ready");

    public static readonly Metric Draining = new("listend_service_workers_draining", Gauge, Service, "how many workers drain or stop");

    public static readonly Metric BackingOff =
        new("listend_service_workers_backoff", Gauge, Service, "how many slots wait before their next worker, or have given up");

    public static readonly Metric DrainingConnections = new(
        "listend_service_draining_connections", Gauge, Service, "connections of draining workers when listend last counted them");

    public static readonly Metric DrainSeconds =
        new("listend_service_drain_seconds", Gauge, Service, "how long the oldest draining worker has drained; 0 if none drains");

    public static readonly Metric Generation = new("listend_service_generation", Gauge, Service, "the generation that serves");

    public static readonly Metric Restarts = new(
        "listend_service_restarts_total", Counter, Service, "how many workers exited unexpectedly and were replaced");

    public static readonly Metric RestartsByCause =
        new("listend_service_restarts_by_cause_total", Counter, ["service", "cause"], "the same by cause");

    public static readonly Metric Rolling = new("listend_service_rolling", Gauge, Service, "1 during a roll-out");

    public static readonly Metric Rollouts =
        new("listend_service_rollouts_total", Counter, ["service", "outcome"], "roll-outs that have ended, by outcome");

    public static readonly Metric RolloutSeconds = new(
        "listend_service_rollout_seconds", Gauge, Service, "how long the active roll-out has taken, or the last one took");

    public static readonly Metric Cut = new(
        "listend_service_connections_cut_total", Counter, Service, "connections of workers that were killed before they had drained");

    public static readonly Metric Accepted = new(
        "listend_service_connections_accepted_total", Counter, Service, "connections that listend accepted; only with per-connection");

    public static readonly Metric RefusedConnections = new(
        "listend_service_connections_refused_total", Counter, Service,
        "connections that listend closed, because their source had too many; only with per-connection");

    public static readonly Metric FailedConnections = new(
        "listend_service_connections_failed_total", Counter, Service,
        "processes of connections that failed or could not be started; only with per-connection");

    public static readonly Metric WorkerProcessorTime = new(
        "listend_worker_cpu_seconds_total", Counter, Worker, "processor time of the worker and its processes; anew with each worker");

    public static readonly Metric WorkerMemory =
        new("listend_worker_memory_bytes", Gauge, Worker, "memory of the worker and its processes");

    /// <summary>All metrics, in the order in which they are written.</summary>
    public static IReadOnlyList<Metric> All { get; } =
    [
        Info, StartTime, Upgrades, ConfigHash, ConfigDiffers, LastReloadSuccess, LastReloadTime,
        ListenerUp, QueueLength, QueueLimit, Drops, Drifts, Repairs, Drifted, ShardQueueLength, ShardQueueLimit, ShardDrops,
        Steered, FlowsLimit, FlowsEvicted, Selected, ShareRatio, Flows,
        State, Desired, Ready, Draining, BackingOff, DrainingConnections, DrainSeconds, Generation, Restarts, RestartsByCause, Rolling,
        Rollouts, RolloutSeconds, Cut, Accepted, RefusedConnections, FailedConnections, WorkerProcessorTime, WorkerMemory,
    ];
}
