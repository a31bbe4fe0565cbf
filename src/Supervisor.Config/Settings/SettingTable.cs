using System.Collections.Immutable;

namespace Supervisor.Config.Settings;

/// <summary>Every setting of the configuration.</summary>
public static class SettingTable
{
    /// <summary>All of them, by section, in the order of the documentation.</summary>
    public static ImmutableArray<Setting> All { get; } =
    [
        .. DaemonSettings.Table.Settings,
        .. ListenerSettings.Table.Settings,
        .. MulticastSettings.Table.Settings,
        .. CustomOptionSettings.Table.Settings,
        .. ServiceSettings.Table.Settings,
        .. AccessSettings.Table.Settings,
    ];
}
