namespace Supervisor.Config.Import;

/// <summary>Why settings of circus.ini have no equivalent, and what to do instead.</summary>
internal static class CircusReasons
{
    private static readonly Reason Clients = Reason.Changed("listenctl uses control.sock; daemon.metrics serves GET /metrics");

    private static readonly Reason NoPolling = Reason.NotNeeded("listend does not poll its workers");
    private static readonly Reason DaemonFiles =
        Reason.Changed("listend writes no pid file, and logs to the journal or to standard error");

    private static readonly Reason Interpreter = Reason.Lost("write VIRTUALENV/bin/python into the command");

    /// <summary>Of the settings for the age of a worker.</summary>
    public static readonly Reason Age =
        Reason.Changed("another worker takes over before the old one stops; recycle.jitter makes ages shorter");

    private static readonly Dictionary<string, Reason> Known = new(StringComparer.Ordinal)
    {
        ["warmup_delay"] = Reason.Changed("listend starts workers at once; rollout.settle delays those of a roll-out"),
        ["send_hup"] = Reason.Changed("\"listenctl signal SERVICE HUP\" sends it; "
            + "\"listenctl restart\" replaces the workers without a refused connection"),
        ["max_retry"] = CommonReasons.Retries,
        ["priority"] = CommonReasons.Order,
        ["max_age_variance"] = Age,
        ["stdout_stream.refresh_time"] = NoPolling,
        ["stderr_stream.refresh_time"] = NoPolling,
        ["on_demand"] = Reason.Lost("a watcher without a socket has no first connection that could start it"),
        ["virtualenv"] = Interpreter,
        ["virtualenv_py_ver"] = Interpreter,
        ["copy_path"] = Reason.NotNeeded("workers inherit PYTHONPATH with the environment of the daemon"),
        ["close_child_stdin"] = Reason.NotNeeded("standard input of a worker is /dev/null"),
        ["close_child_stdout"] = CommonReasons.NeverDiscarded,
        ["close_child_stderr"] = CommonReasons.NeverDiscarded,
        ["executable"] = Reason.Lost("the program is the first word of the command"),
        ["stream_backend"] = Reason.NotNeeded("the event loop of the daemon reads the output"),
        ["use_papa"] = Reason.NotNeeded("the daemon itself keeps listeners open"),
        ["check_flapping"] = Reason.Changed("restart.limit and restart.limit_interval delay workers that fail"),
        ["respawn_delay"] = Reason.Changed("restart.backoff delays workers that fail"),
        ["shell_args"] = Reason.Lost("write the arguments of the shell into the command"),
    };

    /// <summary>The reason for a setting of a watcher or a socket.</summary>
    public static Reason Of(string key) => Known.GetValueOrDefault(key, CommonReasons.Setting);

    /// <summary>The reason for a setting of [circus].</summary>
    public static Reason OfDaemon(string key) => key switch
    {
        "endpoint" or "endpoint_owner" or "pubsub_endpoint" or "multicast_endpoint" or "stats_endpoint" or "ssh_server" =>
            Clients,
        "httpd" or "httpd_host" or "httpd_port" or "statsd" or "statsd_close_outputs" => Clients,
        "check_delay" => NoPolling,
        "include" or "include_dir" => CommonReasons.OtherFiles,
        "umask" => Reason.Lost("it is not an octal number: set umask of each service"),
        "loglevel" or "logoutput" or "loggerconfig" or "debug" or "debug_gc" or "pidfile" => DaemonFiles,
        _ => Of(key),
    };
}
