namespace Supervisor.Config.Import;

/// <summary>Why settings that several of the other programs have do not have an equivalent, and what to do instead.</summary>
internal static class CommonReasons
{
    public const string Setting = "listend has no equivalent";
    public const string Section = "listend has no equivalent for this section";
    public const string OpenQuote = "a quote in it is not closed";
    public const string NoCommand = "it contains no command";
    public const string OtherFiles = "the import reads no other files: give them to \"listenctl import\" too";
    public const string PidFile = "listend writes no pid file: \"listenctl status --json\" shows its pid";
    public const string DaemonLog = "listend logs to the journal or to standard error: see --log-level and --log-format";
    public const string AutoStart = "services start with the daemon: \"listenctl stop\" stops a service";
    public const string Order = "listend starts all services in parallel";
    public const string Retries = "listend continues to start the worker, with waits up to restart.backoff_max";
    public const string CleanExits = "exit status 0, SIGHUP, SIGINT, SIGTERM and SIGPIPE count as clean";
    public const string WorkerAge = "listend does not limit the age of workers: call \"listenctl restart\" from a timer";
    public const string StopsOnlyWorker =
        "listend sends stop_signal only to the worker, and kills the rest of its session after its exit";
    public const string Killed = "listend sends SIGKILL after stop_timeout";
    public const string NeverDiscarded = "listend never discards output";
    public const string OneStream = "standard error goes to the same target as standard output";
    public const string LogRotation = "listend reopens a log file after it was moved: rotate it with logrotate";
}
