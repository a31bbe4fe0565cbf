namespace Supervisor.Config.Import;

/// <summary>Why settings of supervisord.conf have no equivalent, and what to do instead.</summary>
internal static class SupervisordReasons
{
    public const string OneStream = "standard error goes to the same target as standard output";

    private const string Rotation = "listend reopens a log file after it was moved: rotate it with logrotate";
    private const string Capture = "listend has no capture mode";
    private const string Events = "see \"listenctl events\" and \"listenctl logs\"";

    private static readonly Dictionary<string, string> Known = new(StringComparer.Ordinal)
    {
        ["priority"] = "listend starts all services in parallel",
        ["startretries"] = "listend continues to start the worker, with waits up to restart.backoff_max",
        ["exitcodes"] = "exit status 0, SIGHUP, SIGINT, SIGTERM and SIGPIPE count as clean",
        ["stopasgroup"] = "listend sends stop_signal only to the worker, and kills the rest of its session after its exit",
        ["serverurl"] = "listend has no XML-RPC: its control interface is control.sock",
        ["stdout_logfile_maxbytes"] = Rotation,
        ["stdout_logfile_backups"] = Rotation,
        ["stderr_logfile_maxbytes"] = OneStream,
        ["stderr_logfile_backups"] = OneStream,
        ["stdout_capture_maxbytes"] = Capture,
        ["stderr_capture_maxbytes"] = Capture,
        ["stdout_events_enabled"] = Events,
        ["stderr_events_enabled"] = Events,
        ["stderr_syslog"] = OneStream,
    };

    /// <summary>The reason for a setting of a program.</summary>
    public static string OfProgram(string key) => Known.GetValueOrDefault(key, UnsupportedSetting.DefaultReason);

    /// <summary>The reason for a setting of [supervisord].</summary>
    public static string OfDaemon(string key) => key switch
    {
        "logfile" or "logfile_maxbytes" or "logfile_backups" or "loglevel" or "strip_ansi" =>
            "listend logs to the journal or to standard error: see --log-level and --log-format",
        "pidfile" => "listend writes no pid file: \"listenctl status --json\" shows its pid",
        "nodaemon" or "silent" => "listend always runs in the foreground",
        "minfds" or "minprocs" or "umask" or "user" or "directory" => "set it on the unit of listend",
        _ => UnsupportedSetting.DefaultReason,
    };
}
