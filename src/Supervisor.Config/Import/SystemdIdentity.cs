using Supervisor.Config.Settings;

namespace Supervisor.Config.Import;

/// <summary>Who a service runs as, systemd.exec(5): User=, Group=, DynamicUser=, capabilities and NoNewPrivileges=.</summary>
internal sealed class SystemdIdentity(SystemdUnit unit, DraftSection service)
{
    private static readonly Reason Root = Reason.Lost(
        "the workers would run as root: create a user and set user");

    private static readonly Reason OfManager = Reason.Lost(
        "the manager of a user runs it: the workers would run as root, so set user");

    private static readonly Reason MustExist = Reason.Lost("listend makes no users: create it");

    /// <summary>Settings that make systemd set no_new_privileges for a service without CAP_SYS_ADMIN.</summary>
    private static readonly string[] Implying =
    [
        "SystemCallFilter", "SystemCallLog", "SystemCallArchitectures", "RestrictAddressFamilies", "RestrictNamespaces", "PrivateDevices",
        "ProtectKernelTunables", "ProtectKernelModules", "ProtectKernelLogs", "ProtectClock", "ProtectHostname",
        "MemoryDenyWriteExecute", "RestrictRealtime", "RestrictSUIDSGID", "LockPersonality", "RestrictFileSystems",
    ];

    public void Translate()
    {
        Set("User", "user");
        Set("Group", "group");
        OfUser();
        var isDynamic = unit.Last("Service", "DynamicUser") is { } dynamic && SystemdValues.Flag(dynamic.Value) == true;
        if (isDynamic)
        {
            service.Report(unit.Last("Service", "DynamicUser")!, unit.Last("Service", "User") is null ? Root : MustExist);
        }

        Words("SupplementaryGroups", "supplementary_groups", _ => null);
        Words("AmbientCapabilities", "capabilities", NotCapability);
        foreach (var line in unit.List("Service", "AmbientCapabilities"))
        {
            PackagedUnit.Check(service, line, line.Value);
        }

        NoNewPrivileges(isDynamic);
    }

    /// <summary>
    /// Whether systemd runs a command as root and listend as another user. That is what the prefixes "+" and "!" ask for; "!!" does so only
    /// on kernels without ambient capabilities. For a service of root nothing differs.
    /// </summary>
    public static bool LosesRoot(SystemdUnit unit, string prefixes)
    {
        var asksForRoot = prefixes.Contains('+') || prefixes.Count(prefix => prefix == '!') == 1;
        return asksForRoot && (IsOther("User") || IsOther("Group")
            || (unit.Last("Service", "DynamicUser") is { } dynamic && SystemdValues.Flag(dynamic.Value) == true));

        bool IsOther(string key) => unit.Last("Service", key) is { Value: not ("" or "root" or "0") };
    }

    /// <summary>The manager of a user runs all its services as this user.</summary>
    private void OfUser()
    {
        if (unit.User is { } user)
        {
            service.Set("user", TomlLiteral.Of(user.Name), null, "the user whose manager runs the unit");
        }
        else if (unit.IsOfUser)
        {
            service.Report(OfManager);
        }
    }

    private void Set(string key, string setting)
    {
        if (unit.Last("Service", key) is not { } name)
        {
            return;
        }

        if (SystemdSpecifiers.Expand(name.Value, unit, out var reason) is { } value)
        {
            service.Set(setting, TomlLiteral.Of(value), name);
        }
        else
        {
            service.Lost(name, reason);
        }
    }

    /// <summary>Writes the words of all lines of a list. A word that listend does not know is reported, and the others stay.</summary>
    private void Words(string key, string setting, Func<string, string?> refuse)
    {
        var words = new List<string>();
        var lines = unit.List("Service", key);
        foreach (var line in lines)
        {
            if (SystemdSpecifiers.Expand(line.Value, unit, out var reason) is not { } value)
            {
                service.Lost(line, reason);
                continue;
            }

            foreach (var word in value.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
            {
                if (refuse(word) is { } refused)
                {
                    service.Lost(line, refused);
                }
                else
                {
                    words.Add(word);
                }
            }
        }

        if (words.Count > 0)
        {
            service.Set(setting, TomlLiteral.Of(words.Distinct()), lines[0]);
        }
    }

    private static string? NotCapability(string word) =>
        word.StartsWith('~') ? "\"~\" excludes capabilities: write those that a worker gets"
        : CapabilityNames.All.Contains(word.ToUpperInvariant()) ? null
        : $"{Diagnostics.Quoted.Text(word)} is not a capability";

    private void NoNewPrivileges(bool isDynamic)
    {
        if (unit.Last("Service", "NoNewPrivileges") is { } setting)
        {
            PackagedUnit.Check(service, setting, setting.Value);
            service.SetOrReport(
                setting, "no_new_privileges", SystemdValues.Flag(setting.Value) is { } flag ? TomlLiteral.Of(flag) : null);
            return;
        }

        var isImplied = isDynamic || (unit.Last("Service", "User") is not null
            && Array.Exists(Implying, key => unit.Last("Service", key) is { } value && SystemdValues.Flag(value.Value) != false));
        if (!isImplied)
        {
            service.Set("no_new_privileges", TomlLiteral.Of(false), null, "systemd's default");
        }
    }
}
