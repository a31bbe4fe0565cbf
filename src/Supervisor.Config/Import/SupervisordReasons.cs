namespace Supervisor.Config.Import;

/// <summary>Why settings of supervisord.conf have no equivalent, and what to do instead.</summary>
internal static class SupervisordReasons
{
    /// <summary>What the environment of another user has.</summary>
    public static readonly Reason Home =
        Reason.Changed("listend sets HOME, LOGNAME, SHELL and USER to those of the user; supervisord leaves the daemon's");

    private static readonly Reason Capture = Reason.Lost("listend has no capture mode");
    private static readonly Reason Events = Reason.Changed("see \"listenctl events\" and \"listenctl logs\"");

    private static readonly Dictionary<string, Reason> Known = new(StringComparer.Ordinal)
    {
        ["priority"] = CommonReasons.Order,
        ["startretries"] = CommonReasons.Retries,
        ["exitcodes"] = CommonReasons.CleanExits,
        ["serverurl"] = Reason.Changed("listend has no XML-RPC: its control interface is control.sock"),
        ["stdout_logfile_maxbytes"] = CommonReasons.LogRotation,
        ["stdout_logfile_backups"] = CommonReasons.LogRotation,
        ["stderr_logfile_maxbytes"] = CommonReasons.OneStream,
        ["stderr_logfile_backups"] = CommonReasons.OneStream,
        ["stdout_capture_maxbytes"] = Capture,
        ["stderr_capture_maxbytes"] = Capture,
        ["stdout_events_enabled"] = Events,
        ["stderr_events_enabled"] = Events,
        ["stderr_syslog"] = CommonReasons.OneStream,
    };

    /// <summary>The reason for a setting of a program.</summary>
    public static Reason OfProgram(string key) => Known.GetValueOrDefault(key, CommonReasons.Setting);

    /// <summary>The reason for a setting of [supervisord].</summary>
    public static Reason OfDaemon(string key) => key switch
    {
        "logfile" or "logfile_maxbytes" or "logfile_backups" or "loglevel" or "strip_ansi" => CommonReasons.DaemonLog,
        "pidfile" => CommonReasons.PidFile,
        "nodaemon" or "silent" => Reason.Changed("listend always runs in the foreground"),
        "minfds" or "minprocs" => Reason.Lost("write limits.nofile or limits.nproc into the services that need it"),
        "umask" or "directory" => Reason.Lost(
            "supervisord uses it only in the background, not with -n: then write umask or working_directory into the services"),
        _ => CommonReasons.Setting,
    };
}
