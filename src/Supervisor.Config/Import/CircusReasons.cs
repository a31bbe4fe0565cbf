namespace Supervisor.Config.Import;

/// <summary>Why settings of circus.ini have no equivalent, and what to do instead.</summary>
internal static class CircusReasons
{
    private const string Interpreter = "name the interpreter in the command: VIRTUALENV/bin/python";

    private static readonly Dictionary<string, string> Known = new(StringComparer.Ordinal)
    {
        ["warmup_delay"] = "listend starts workers at once; rollout.settle delays those of a roll-out",
        ["send_hup"] = "\"listenctl signal SERVICE HUP\" sends it; "
            + "\"listenctl restart\" replaces the workers without a refused connection",
        ["stop_children"] = CommonReasons.StopsOnlyWorker,
        ["max_retry"] = CommonReasons.Retries,
        ["priority"] = CommonReasons.Order,
        ["max_age"] = CommonReasons.WorkerAge,
        ["max_age_variance"] = CommonReasons.WorkerAge,
        ["on_demand"] = "write start = \"on-demand\"",
        ["virtualenv"] = Interpreter,
        ["virtualenv_py_ver"] = Interpreter,
        ["copy_path"] = "workers inherit PYTHONPATH with the environment of the daemon",
        ["close_child_stdin"] = "standard input of a worker is /dev/null",
        ["close_child_stdout"] = CommonReasons.NeverDiscarded,
        ["close_child_stderr"] = CommonReasons.NeverDiscarded,
        ["executable"] = "the program is the first word of the command",
        ["stream_backend"] = "the event loop of the daemon reads the output",
        ["use_papa"] = "the daemon itself keeps listeners open",
        ["check_flapping"] = "restart.limit and restart.limit_interval delay workers that fail",
        ["respawn_delay"] = "restart.backoff delays workers that fail",
        ["shell_args"] = "write the arguments of the shell into the command",
    };

    /// <summary>The reason for a setting of a watcher or a socket.</summary>
    public static string Of(string key) => Known.GetValueOrDefault(key, CommonReasons.Setting);

    /// <summary>The reason for a setting of [circus].</summary>
    public static string OfDaemon(string key) => key switch
    {
        "endpoint" or "endpoint_owner" or "pubsub_endpoint" or "multicast_endpoint" or "stats_endpoint" or "ssh_server" =>
            "listenctl connects to control.sock in daemon.runtime_directory",
        "httpd" or "httpd_host" or "httpd_port" => "daemon.metrics serves GET /metrics; \"listenctl top\" is a live screen",
        "statsd" or "statsd_close_outputs" => "see GET /metrics",
        "check_delay" => "listend does not poll its workers",
        "include" or "include_dir" => CommonReasons.OtherFiles,
        "umask" => "set umask of each service",
        "loglevel" or "logoutput" or "loggerconfig" or "debug" or "debug_gc" => CommonReasons.DaemonLog,
        "pidfile" => CommonReasons.PidFile,
        _ => Of(key),
    };
}
