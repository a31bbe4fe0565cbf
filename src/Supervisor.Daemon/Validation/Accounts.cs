using Supervisor.Config;
using Supervisor.Config.Diagnostics;
using Supervisor.Core.Listeners;
using Supervisor.Core.Services;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Validation;

/// <summary>Rule: the users and groups that a configuration names exist on the host.</summary>
internal static class Accounts
{
    /// <summary>Looks the names up, and reports unknown ones. Waits for the name service, so do not call it on the loop.</summary>
    public static IEnumerable<ConfigDiagnostic> Check(ParsedConfig config)
    {
        LookUp(config.Draft).GetAwaiter().GetResult();
        return Missing(config.Draft, config.Places);
    }

    /// <summary>
    /// Looks up every user and group that the configuration names, within <see cref="UserDirectory.Patience"/>. Any thread.
    /// </summary>
    public static Task LookUp(ListendConfig config) =>
        UserDirectory.Host.Refresh([.. Used(config).Select(used => new AccountName(used.IsUser, used.Name))]);

    /// <summary>A diagnostic for each user and group that <see cref="LookUp"/> did not find, with its place.</summary>
    public static IEnumerable<ConfigDiagnostic> Missing(ListendConfig config, ConfigPlaces places)
    {
        foreach (var used in Used(config))
        {
            AccountError? error;
            if (used.IsUser
                ? UserDirectory.Host.FindUser(used.Name, out error) is not null
                : UserDirectory.Host.FindGroup(used.Name, out error) is not null)
            {
                continue;
            }

            var what = used.IsUser ? "user" : "group";
            var (message, remedy) = error!.IsMissing
                ? ($"no {what} named \"{used.Name}\" on this host",
                $"create the {what}, name another, or remove the {(used.Element is null ? "setting" : "entry")}")
                : ($"{what} \"{used.Name}\": {error.Reason}", error.Remedy);
            yield return places.Diagnostic(used.Section, used.Owner, used.Key, message, remedy, used.Element);
        }

        foreach (var service in config.Services.Where(service => service.User is not null))
        {
            if (UserDirectory.Host.FindUser(service.User!, out _) is { } user && WorkerIdentity.MissingGroup(service, user) is { } error)
            {
                yield return places.Diagnostic("service", service.Name, "user", error.Reason, error.Remedy, null);
            }
        }
    }

    private static IEnumerable<Account> Used(ListendConfig config) =>
    [
        .. config.Daemon.TrustedOwners.Select((name, i) => new Account(name, IsUser: true, "daemon", null, "trusted_owners", i)),
        .. Optional(config.Daemon.ControlGroup, isUser: false, "daemon", null, "control_group"),
        .. config.Daemon.Access.SelectMany(rule => (Account[])
        [
            .. Optional(rule.User, isUser: true, "access", rule.Name, "user"),
            .. Optional(rule.Group, isUser: false, "access", rule.Name, "group"),
        ]),
        .. config.Listeners.SelectMany(Used),
        .. config.Services.SelectMany(Used),
    ];

    private static IEnumerable<Account> Used(ListenerSpec listener) =>
    [
        .. Optional(listener.Unix.User, isUser: true, "listener", listener.Name, "unix.user"),
        .. Optional(listener.Unix.Group, isUser: false, "listener", listener.Name, "unix.group"),
        .. listener.Allow.Select((entry, i) => (Parts: entry.Split(':', 2), i))
            .Select(one => new Account(one.Parts[1], one.Parts[0] == "user", "listener", listener.Name, "allow", one.i)),
    ];

    private static IEnumerable<Account> Used(ServiceSpec service) =>
    [
        .. Optional(service.User, isUser: true, "service", service.Name, "user"),
        .. Optional(service.Group, isUser: false, "service", service.Name, "group"),
        .. service.SupplementaryGroups
            .Select((name, i) => new Account(name, IsUser: false, "service", service.Name, "supplementary_groups", i)),
    ];

    private static Account[] Optional(string? name, bool isUser, string section, string? owner, string key) =>
        name is null ? [] : [new Account(name, isUser, section, owner, key, null)];

    /// <summary>A user or group and the setting that names it.</summary>
    private sealed record Account(string Name, bool IsUser, string Section, string? Owner, string Key, int? Element);
}
