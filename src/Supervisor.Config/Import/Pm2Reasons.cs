namespace Supervisor.Config.Import;

/// <summary>Why settings of PM2 are not written as they were, and what to do instead.</summary>
internal static class Pm2Reasons
{
    public static readonly Reason Deploy =
        Reason.Lost("listend has no deployment: move a symbolic link, then \"listenctl restart SERVICE --wait\"");

    public static readonly Reason Descriptor = Reason.Changed(
        "the program listens at descriptor 3 instead of the port: server.listen(process.env.LISTEN_FDS ? { fd: 3 } : PORT)");

    public static readonly Reason UnknownPort = Reason.Lost(
        "PM2 holds the port of a cluster, and the file does not name it: write [listener.NAME], list it in listeners, "
        + "and let the program listen at descriptor 3");

    public static readonly Reason FirstRestart = Reason.Changed("a worker that was ready is replaced at once; the next failures wait");
    public static readonly Reason TakesOver = Reason.Changed("another worker takes over before the old one stops");
    public static readonly Reason Logs = Reason.Changed("output goes to the journal or the daemon's output instead of ~/.pm2/logs");

    private static readonly Reason Watch = Reason.Lost("listend watches no files: use node --watch in development");
    private static readonly Reason Monitoring = Reason.NotNeeded("it belongs to the monitoring of PM2: see GET /metrics");
    private static readonly Reason Names = Reason.Changed("services have no groups: give listenctl the name of each service");
    private static readonly Reason Times = Reason.NotNeeded("the journal has the time of each line");
    private static readonly Reason Cli = Reason.NotNeeded("it belongs to the command line of PM2");

    private static readonly Dictionary<string, Reason> Known = new(StringComparer.Ordinal)
    {
        ["instances"] = Reason.Changed("listend has no \"all but N\": workers = \"cpus\" is written"),
        ["watch"] = Watch,
        ["watch_delay"] = Watch,
        ["watch_options"] = Watch,
        ["ignore_watch"] = Watch,
        ["cron_restart"] = Reason.Lost("a timer of systemd can run \"listenctl restart SERVICE --wait\""),
        ["wait_ready"] = Reason.Changed("there is no process.send(): ready = \"accepting\" sees a worker that accepts, "
            + "ready = \"notify\" waits for READY=1 at NOTIFY_SOCKET"),
        ["shutdown_with_message"] = Reason.Lost("the worker gets stop_signal: let it handle SIGINT"),
        ["stop_exit_codes"] = CommonReasons.CleanExits,
        ["max_restarts"] = CommonReasons.Retries,
        ["min_uptime"] = Reason.Changed("restart.limit failures in restart.limit_interval delay the next start"),
        ["max_memory_restart"] = Reason.Lost("it is not a size such as 400M"),
        ["pid_file"] = CommonReasons.PidFile,
        ["error_file"] = CommonReasons.OneStream,
        ["log_file"] = CommonReasons.OneStream,
        ["merge_logs"] = Reason.NotNeeded("the workers of a service have one log"),
        ["disable_logs"] = CommonReasons.NeverDiscarded,
        ["log_type"] = Times,
        ["log_date_format"] = Times,
        ["time"] = Times,
        ["source_map_support"] = Reason.Changed("PM2 loads source-map-support: write node --enable-source-maps into the command"),
        ["disable_source_map_support"] = Monitoring,
        ["filter_env"] = Reason.Lost("workers inherit the environment of the daemon"),
        ["namespace"] = Names,
        ["name_prefix"] = Names,
        ["append_env_to_name"] = Names,
        ["post_update"] = Deploy,
        ["install_url"] = Deploy,
        ["vizion"] = Monitoring,
        ["trace"] = Monitoring,
        ["disable_trace"] = Monitoring,
        ["v8"] = Monitoring,
        ["event_loop_inspector"] = Monitoring,
        ["deep_monitoring"] = Monitoring,
        ["pmx"] = Monitoring,
        ["automation"] = Monitoring,
        ["io"] = Monitoring,
        ["kill_retry_time"] = Reason.NotNeeded("listend waits for the exit without polling"),
        ["force"] = Cli,
        ["write"] = Cli,
        ["username"] = Cli,
        ["windowsHide"] = Cli,
        ["execute_command"] = Cli,
    };

    /// <summary>The reason for a setting of an app.</summary>
    public static Reason Of(string key) => key.StartsWith("env_", StringComparison.Ordinal)
        ? Reason.Changed($"PM2 takes it with --env {key["env_".Length..]}: write what you need into environment")
        : Known.GetValueOrDefault(key, CommonReasons.Setting);
}
