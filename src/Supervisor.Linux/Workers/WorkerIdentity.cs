using System.Diagnostics.CodeAnalysis;
using Supervisor.Core.Services;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Paths;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>The user and groups of a service's workers, looked up once for a generation.</summary>
/// <param name="Uid">User id; null: the daemon's own.</param>
/// <param name="Gid">Group id; null: the daemon's own.</param>
/// <param name="Groups">Supplementary groups; null: the daemon's own.</param>
/// <param name="Variables">USER, LOGNAME, HOME and SHELL of another user.</param>
public sealed record WorkerIdentity(uint? Uid, uint? Gid, IReadOnlyList<uint>? Groups, IReadOnlyList<KeyValuePair<string,
    string>> Variables)
{
    /// <summary>The workers' rights on files that the daemon may not trust; null if they have the daemon's own rights.</summary>
    public FileRights? Rights =>
        Uid is { } uid && uid != Processes.EffectiveUid ? new FileRights(uid, Gid ?? Processes.EffectiveGid, Groups ?? []) : null;

    /// <summary>
    /// The same for a service, whose names are looked up; null also if a name is unknown. It waits: never on the loop.
    /// </summary>
    public static FileRights? RightsOf(ServiceSpec spec) => TryLookUp(spec, out var identity, out _) ? identity.Rights : null;

    /// <summary>Whether the workers of two specifications have the same user and groups.</summary>
    public static bool IsSame(ServiceSpec one, ServiceSpec other) =>
        one.User == other.User && one.Group == other.Group && one.SupplementaryGroups.SequenceEqual(other.SupplementaryGroups);

    /// <summary>The users and groups that a service names; none if the workers run as the daemon does.</summary>
    public static IReadOnlyList<AccountName> NamesOf(ServiceSpec spec) =>
    [
        .. spec.User is { } user ? [new AccountName(true, user)] : Array.Empty<AccountName>(),
        .. spec.Group is { } group ? [new AccountName(false, group)] : Array.Empty<AccountName>(),
        .. spec.SupplementaryGroups.Select(name => new AccountName(false, name)),
    ];

    /// <summary>Why the configured user has no group: its number belongs to no user, but to a group of others. Null if it has one.</summary>
    public static AccountError? MissingGroup(ServiceSpec spec, UserAccount user) => user.OthersGroup is { } others && spec.Group is null
        ? new AccountError(true, $"there is no such user on this host, and group {user.Gid} is \"{others}\", which is not the user's",
            "set group, or create the user")
        : null;

    /// <summary>
    /// Looks up the names of a service, which takes up to <see cref="UserDirectory.Patience"/>: never on the loop.
    /// </summary>
    public static bool TryLookUp(ServiceSpec spec, [NotNullWhen(true)] out WorkerIdentity? identity, [NotNullWhen(false)] out string? error)
    {
        UserDirectory.Host.Refresh(NamesOf(spec)).GetAwaiter().GetResult();
        return TryResolve(spec, UserDirectory.Host, out identity, out error);
    }

    /// <summary>
    /// The identity by the directory's newest answers, without waiting. On failure <paramref name="error"/> names
    /// setting, value and remedy.
    /// </summary>
    public static bool TryResolve(
        ServiceSpec spec, UserDirectory users, [NotNullWhen(true)] out WorkerIdentity? identity, [NotNullWhen(false)] out string? error)
    {
        identity = null;
        uint? uid = null;
        uint? gid = null;
        IReadOnlyList<uint>? groups = null;
        IReadOnlyList<KeyValuePair<string, string>> variables = [];
        if (spec.User is { } user)
        {
            if (users.FindUser(user, out var reason) is not { } found)
            {
                error = $"user \"{user}\": {reason}";
                return false;
            }

            if (MissingGroup(spec, found) is { } missing)
            {
                error = $"user \"{user}\": {missing}";
                return false;
            }

            // Without an entry the daemon's own user has the daemon's own group, as in a container that was given a number.
            var isOwn = !found.HasEntry && found.Uid == Processes.EffectiveUid && Processes.EffectiveUid != 0;
            (uid, gid, groups) = (found.Uid, isOwn ? null : found.Gid, found.HasEntry ? found.Groups : []);
            variables = [new("USER", found.Name), new("LOGNAME", found.Name), new("HOME", found.Home), new("SHELL", found.Shell)];
        }

        if (spec.Group is { } group)
        {
            gid = users.FindGroup(group, out var reason);
            if (gid is null)
            {
                error = $"group \"{group}\": {reason}";
                return false;
            }

            groups ??= [];
        }

        if (!spec.SupplementaryGroups.IsEmpty)
        {
            var all = new List<uint>(groups ?? []);
            foreach (var name in spec.SupplementaryGroups)
            {
                if (users.FindGroup(name, out var reason) is not { } id)
                {
                    error = $"supplementary_groups \"{name}\": {reason}";
                    return false;
                }

                all.Add(id);
            }

            groups = all;
        }

        // Only root may set groups, and not in every user namespace. If no other user is configured, nothing has to be set.
        if (spec.SupplementaryGroups.IsEmpty && (!Processes.MaySetGroups || (Processes.EffectiveUid != 0 && uid == Processes.EffectiveUid)))
        {
            groups = null;
        }

        identity = new WorkerIdentity(uid, gid, groups, variables);
        error = null;
        return true;
    }
}
