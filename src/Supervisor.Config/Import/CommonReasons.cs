namespace Supervisor.Config.Import;

/// <summary>Why settings that several of the other programs have do not have an equivalent, and what to do instead.</summary>
internal static class CommonReasons
{
    public static readonly Reason Setting = Reason.Lost("listend has no equivalent");
    public static readonly Reason Section = Reason.Lost("listend has no equivalent for this section");
    public const string OpenQuote = "a quote in it is not closed";
    public const string BindsItself = "a program that binds its own port cannot run twice; with a listener, \"rolling\" loses nothing";
    public const string NoCommand = "it contains no command";
    public static readonly Reason OtherFiles = Reason.Lost("the import reads no other files: give them to \"listenctl import\" too");
    public static readonly Reason PidFile = Reason.Changed("listend writes no pid file: \"listenctl status --json\" shows its pid");
    public static readonly Reason DaemonLog =
        Reason.Changed("listend logs to the journal or to standard error: see --log-level and --log-format");
    public static readonly Reason AutoStart = Reason.Changed("services start with the daemon: \"listenctl stop\" stops a service");
    public static readonly Reason Order = Reason.Changed("services start in parallel: order them with after");
    public static readonly Reason Retries = Reason.Changed("listend continues to start the worker, with waits up to restart.backoff_max");
    public static readonly Reason CleanExits = Reason.Changed("exit status 0, SIGHUP, SIGINT, SIGTERM and SIGPIPE count as clean");
    public static readonly Reason Killed = Reason.Changed("listend sends SIGKILL after stop_timeout");
    public static readonly Reason NeverDiscarded = Reason.Changed("listend never discards output");
    public static readonly Reason OneStream = Reason.Changed("standard error goes to the same target as standard output");
    public static readonly Reason LogRotation = Reason.Changed("listend reopens a log file after it was moved: rotate it with logrotate");

    /// <summary>The reason for a setting with a fact of this host.</summary>
    /// <param name="expression">What the other program replaces at each start.</param>
    /// <param name="value">What it is on this host.</param>
    public static Reason OfHost(string expression, string value) =>
        Reason.Changed($"{expression} is written as {Diagnostics.Quoted.Text(value)}, which this host has now");

    /// <summary>The reason for a section without the setting that has the command.</summary>
    public static Reason NoProgram(string setting) => Reason.Lost($"without {setting} there is no program to run");
}
