using System.Collections.Immutable;
using Supervisor.Config;
using Supervisor.Config.Diagnostics;
using Supervisor.Daemon.Runtime;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Validation;

/// <summary>
/// What a configuration takes for granted of this host and only the host can tell: users, groups, the kernel's bounds of
/// limits. Users and groups are what <see cref="LookUp"/> has found.
/// </summary>
internal static class HostRules
{
    private const string NoFile = "nofile";

    /// <summary>Looks up every user and group that the configuration names, within <see cref="UserDirectory.Patience"/>. Any thread.</summary>
    public static Task LookUp(ListendConfig config) => UserDirectory.Host.Refresh(
    [
        .. config.Daemon.TrustedOwners.Select(name => new AccountName(true, name)),
        .. config.Listeners.SelectMany(AccountName.OwnersOf),
        .. config.Listeners.SelectMany(listener => listener.Allow).Select(entry => entry.Split(':', 2)).Select(entry => new AccountName(entry[0] == "user", entry[1])),
        .. config.Services.SelectMany(WorkerIdentity.NamesOf),
    ]);

    /// <summary>Everything of <paramref name="config"/> that this host does not have, each where it stands.</summary>
    public static ImmutableArray<ConfigDiagnostic> Errors(ListendConfig config, ConfigPlaces places)
    {
        var errors = ImmutableArray.CreateBuilder<ConfigDiagnostic>();
        for (var i = 0; i < config.Daemon.TrustedOwners.Length; i++)
        {
            Account(config.Daemon.TrustedOwners[i], isUser: true, "daemon", null, "trusted_owners", i);
        }

        foreach (var listener in config.Listeners)
        {
            Account(listener.Unix.User, isUser: true, "listener", listener.Name, "unix.user");
            Account(listener.Unix.Group, isUser: false, "listener", listener.Name, "unix.group");
            for (var i = 0; i < listener.Allow.Length; i++)
            {
                var entry = listener.Allow[i];
                var colon = entry.IndexOf(':', StringComparison.Ordinal);
                Account(entry[(colon + 1)..], entry[..colon] == "user", "listener", listener.Name, "allow", i);
            }
        }

        var most = config.Services.Any(service => service.Limits.Any(limit => limit.Name == NoFile)) ? Sysctl.ReadNumber("fs.nr_open") : null;
        foreach (var service in config.Services)
        {
            Account(service.User, isUser: true, "service", service.Name, "user");
            Account(service.Group, isUser: false, "service", service.Name, "group");
            for (var i = 0; i < service.SupplementaryGroups.Length; i++)
            {
                Account(service.SupplementaryGroups[i], isUser: false, "service", service.Name, "supplementary_groups", i);
            }

            foreach (var limit in service.Limits.Where(limit => limit.Name == NoFile && most is { } known && limit.Value > (ulong)known))
            {
                errors.Add(places.Diagnostic(
                    "service", service.Name, "limits.nofile", $"{limit.Spelled()} is more than this kernel lets a process have (fs.nr_open is {most})",
                    $"write {most} or less, or raise fs.nr_open first (sysctl fs.nr_open)"));
            }
        }

        return errors.ToImmutable();

        void Account(string? name, bool isUser, string section, string? owner, string key, int? element = null)
        {
            if (name is null)
            {
                return;
            }

            AccountError? error;
            var exists = isUser ? UserDirectory.Host.FindUser(name, out error) is not null : UserDirectory.Host.FindGroup(name, out error) is not null;
            if (!exists)
            {
                var what = isUser ? "user" : "group";
                errors.Add(error!.IsMissing
                    ? places.Diagnostic(
                        section, owner, key, $"there is no {what} \"{name}\" on this host",
                        $"create the {what}, name another, or leave the {(element is null ? "setting" : "entry")} out", element)
                    : places.Diagnostic(section, owner, key, $"{what} \"{name}\": {error.Reason}", error.Remedy, element));
            }
        }
    }
}
