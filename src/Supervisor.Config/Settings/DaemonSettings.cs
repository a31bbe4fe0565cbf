namespace Supervisor.Config.Settings;

/// <summary><c>[daemon]</c>.</summary>
internal static class DaemonSettings
{
    public static readonly SectionTable<DaemonConfig> Table = new(
    [
        Of(
            "runtime_directory", SettingTypes.AbsolutePath, null,
            "folder of control.sock, broker.sock, the notify sockets and the state; unset: /run/listend, or below $XDG_RUNTIME_DIR",
            (s, v) => s with { RuntimeDirectory = v }),
        Of(
            "metrics", SettingTypes.HostAndPort, null,
            "address on which metrics are served besides the control socket; unset: none",
            (s, v) => s with { Metrics = v }),
        Of(
            "metrics_hosts", SettingTypes.ListOf(SettingTypes.HostName), "[]",
            "host names by which metrics may be asked for, besides IP addresses, localhost and this host's own name; \"*\": every name",
            (s, v) => s with { MetricsHosts = v }),
        Of(
            "trusted_owners", SettingTypes.ListOf(SettingTypes.UserName), "[]",
            "users other than root who may own, and write to, the paths that this configuration names and listend opens: log and environment files, the runtime directory",
            (s, v) => s with { TrustedOwners = v }),
    ]);

    private static Setting<DaemonConfig> Of<T>(
        string key, SettingType<T> type, string? byDefault, string description, Func<DaemonConfig, T, DaemonConfig> with) =>
        new Setting<DaemonConfig, T>("daemon", key, type, byDefault, description, with);
}
