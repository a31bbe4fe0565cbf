namespace Supervisor.Config.Import;

/// <summary>Which settings of a unit add to each other, and which override each other.</summary>
internal static class SystemdLists
{
    /// <summary>Settings of [Service] and [Socket] of which each line counts.</summary>
    private static readonly HashSet<string> Keys = new(StringComparer.Ordinal)
    {
        "Environment", "EnvironmentFile", "PassEnvironment", "UnsetEnvironment", "SupplementaryGroups", "AmbientCapabilities", "Sockets",
        "CapabilityBoundingSet", "SystemCallFilter", "SystemCallLog", "SystemCallArchitectures", "RestrictAddressFamilies",
        "RestrictNamespaces", "RestrictFileSystems", "RestrictNetworkInterfaces", "ReadWritePaths", "ReadOnlyPaths", "InaccessiblePaths",
        "ReadWriteDirectories", "ReadOnlyDirectories", "InaccessibleDirectories", "ExecPaths", "NoExecPaths", "ExecSearchPath",
        "BindPaths", "BindReadOnlyPaths", "TemporaryFileSystem", "MountImages", "ExtensionImages", "ExtensionDirectories",
        "RootImageOptions", "LoadCredential", "LoadCredentialEncrypted", "SetCredential", "SetCredentialEncrypted", "ImportCredential",
        "RuntimeDirectory", "StateDirectory", "CacheDirectory", "LogsDirectory", "ConfigurationDirectory", "IPAddressAllow",
        "IPAddressDeny", "IPIngressFilterPath", "IPEgressFilterPath", "BPFProgram", "SocketBindAllow", "SocketBindDeny", "DeviceAllow",
        "IOReadBandwidthMax", "IOWriteBandwidthMax", "IOReadIOPSMax", "IOWriteIOPSMax", "IODeviceWeight", "IODeviceLatencyTargetSec",
        "BlockIODeviceWeight", "BlockIOReadBandwidth", "BlockIOWriteBandwidth", "DisableControllers", "Delegate", "NFTSet",
        "SuccessExitStatus", "RestartPreventExitStatus", "RestartForceExitStatus", "LogExtraFields", "LogFilterPatterns",
        "StandardInputText", "StandardInputData", "CPUAffinity", "NUMAMask", "OpenFile", "Symlinks",
    };

    /// <summary>Settings that forbid everything by an empty value.</summary>
    private static readonly string[] MeantEmpty = ["CapabilityBoundingSet", "Delegate"];

    /// <summary>The settings that count, in any order.</summary>
    public static IEnumerable<SourceSetting> Effective(SystemdUnit unit)
    {
        foreach (var (section, key) in unit.Settings.Select(setting => (setting.Section, setting.Key)).Distinct())
        {
            var isList = section is not ("Service" or "Socket") || Keys.Contains(key)
                || key.StartsWith("Exec", StringComparison.Ordinal) || key.StartsWith("Listen", StringComparison.Ordinal);
            var effective = unit.List(section, key);
            foreach (var setting in isList ? effective : effective.TakeLast(1))
            {
                yield return setting;
            }

            if (unit.IsEmptied(section, key) && MeantEmpty.Contains(key))
            {
                yield return unit.Settings.Last(setting => setting.Section == section && setting.Key == key);
            }
        }
    }
}
