using System.Collections.Frozen;

namespace Supervisor.Core.Protocols;

/// <summary>Environment variables between a supervisor and its child, which mean nothing to the child's own children.</summary>
public static class SupervisorVariables
{
    private const string NotifySocket = "NOTIFY_SOCKET";

    /// <summary>Those that listend sets for its workers, by prefix.</summary>
    private static readonly string[] OwnPrefixes = ["LISTEN_", "WATCHDOG_", "LISTEND_"];

    private static readonly string[] NotifyPrefix = ["NOTIFY_"];

    /// <summary>Other hand-offs, by prefix: a worker would look for sockets that it does not have.</summary>
    private static readonly string[] HandoffPrefixes =
        ["EINHORN_", "SERVER_STARTER_", "PUMA_INHERIT_", "TABLEFLIP_", "OVERSEER_", "UPSTART_", "NODE_CHANNEL_", "SUPERVISOR_"];

    /// <summary>
    /// What systemd sets for one unit (systemd.exec(5), "Environment variables set or propagated by the service manager"), and
    /// other hand-offs. Variables that describe the user or the terminal (PATH, HOME, LANG, TERM, XDG_RUNTIME_DIR) are not
    /// among them.
    /// </summary>
    private static readonly FrozenSet<string> PerUnit = new[]
    {
        "INVOCATION_ID", "JOURNAL_STREAM", "LOG_NAMESPACE", "SYSTEMD_EXEC_PID", "DEBUG_INVOCATION", "FDSTORE", "PIDFILE",
        "RUNTIME_DIRECTORY", "STATE_DIRECTORY", "CACHE_DIRECTORY", "LOGS_DIRECTORY", "CONFIGURATION_DIRECTORY", "CREDENTIALS_DIRECTORY",
        "MAINPID", "MAINPIDFDID", "MANAGERPID", "MANAGERPIDFDID", "MEMORY_PRESSURE_WATCH", "MEMORY_PRESSURE_WRITE",
        "SERVICE_RESULT", "EXIT_CODE", "EXIT_STATUS", "REMOTE_ADDR", "REMOTE_PORT", "SO_COOKIE",
        "MONITOR_SERVICE_RESULT", "MONITOR_EXIT_CODE", "MONITOR_EXIT_STATUS", "MONITOR_INVOCATION_ID", "MONITOR_UNIT",
        "TRIGGER_UNIT", "TRIGGER_PATH", "TRIGGER_TIMER_REALTIME_USEC", "TRIGGER_TIMER_MONOTONIC_USEC",
        "NGINX", "GUNICORN_FD", "GUNICORN_PID", "UNICORN_FD", "NODE_UNIQUE_ID", "ENDLESS_CONTINUE", "ENDLESS_SOCKET_ORDER",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Whether listend sets it for its workers, so that neither the configuration nor an environment file can.</summary>
    public static bool IsOwn(string name) => name == NotifySocket || HasPrefix(name, OwnPrefixes);

    /// <summary>Whether a worker does not inherit it from the daemon, for which it was meant.</summary>
    public static bool IsForDaemon(string name) =>
        IsOwn(name) || HasPrefix(name, NotifyPrefix) || HasPrefix(name, HandoffPrefixes) || PerUnit.Contains(name);

    private static bool HasPrefix(string name, string[] prefixes) =>
        Array.Exists(prefixes, prefix => name.StartsWith(prefix, StringComparison.Ordinal));
}
