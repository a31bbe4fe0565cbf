namespace Supervisor.Config.Import;

/// <summary>Why settings of supervisord.conf have no equivalent, and what to do instead.</summary>
internal static class SupervisordReasons
{

    private const string Capture = "listend has no capture mode";
    private const string Events = "see \"listenctl events\" and \"listenctl logs\"";

    private static readonly Dictionary<string, string> Known = new(StringComparer.Ordinal)
    {
        ["priority"] = CommonReasons.Order,
        ["startretries"] = CommonReasons.Retries,
        ["exitcodes"] = CommonReasons.CleanExits,
        ["stopasgroup"] = CommonReasons.StopsOnlyWorker,
        ["serverurl"] = "listend has no XML-RPC: its control interface is control.sock",
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
    public static string OfProgram(string key) => Known.GetValueOrDefault(key, CommonReasons.Setting);

    /// <summary>The reason for a setting of [supervisord].</summary>
    public static string OfDaemon(string key) => key switch
    {
        "logfile" or "logfile_maxbytes" or "logfile_backups" or "loglevel" or "strip_ansi" => CommonReasons.DaemonLog,
        "pidfile" => CommonReasons.PidFile,
        "nodaemon" or "silent" => "listend always runs in the foreground",
        "minfds" or "minprocs" or "umask" or "user" or "directory" => "set it on the unit of listend",
        _ => CommonReasons.Setting,
    };
}
