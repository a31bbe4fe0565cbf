namespace Supervisor.Config.Settings;

/// <summary><c>[daemon]</c>.</summary>
internal static class DaemonSettings
{
    public static readonly SectionTable<DaemonConfig> Table = new(
    [
        Of("runtime_directory", SettingTypes.RuntimeDirectory, null,
            "Keep control.sock, broker.sock, the notify sockets and the state in this folder. "
            + "Unset: /run/listend for root, $XDG_RUNTIME_DIR/listend for other users",
            (s, v) => s with { RuntimeDirectory = v }),
        Of("control_group", SettingTypes.GroupName, null,
            "Let the members of this group read control.sock: status, listeners, events, logs and metrics. "
            + "Changes stay for root and the daemon's user. Unset: the daemon's own group",
            (s, v) => s with { ControlGroup = v }),
        Of("metrics", SettingTypes.HostAndPort, null,
            "Serve metrics and the read-only web page on this address. Unset: metrics only on the control socket, and no page",
            (s, v) => s with { Metrics = v }),
        Of("metrics_hosts", SettingTypes.ListOf(SettingTypes.HostName), "[]",
            "Accept these host names in metrics requests. IP addresses, localhost and the name of this host are always accepted. "
            + "\"*\" accepts every name",
            (s, v) => s with { MetricsHosts = v }),
        Of("stop_delay", SettingTypes.AnyDuration, "\"0s\"",
            "Continue to serve for this long after SIGTERM, before the workers are stopped. /readyz answers 503 from the signal on, "
            + "so balancers that poll it send nothing more when the workers stop. A second SIGTERM ends the delay. "
            + "A restart by systemd has no delay",
            (s, v) => s with { StopDelay = v }),
        Of("trusted_owners", SettingTypes.ListOf(SettingTypes.UserName), "[]",
            "Let these users, next to root, own and write to the paths that listend opens: "
            + "log files, environment files and the runtime directory",
            (s, v) => s with { TrustedOwners = v }),
    ]);

    private static Setting<DaemonConfig> Of<T>(
        string key, SettingType<T> type, string? byDefault, string description, Func<DaemonConfig, T, DaemonConfig> with) =>
        new Setting<DaemonConfig, T>("daemon", key, type, byDefault, description, with);
}
