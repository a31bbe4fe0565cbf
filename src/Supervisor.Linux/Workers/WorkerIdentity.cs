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
/// <param name="Variables">USER, LOGNAME, HOME and SHELL of another user, as far as they say something.</param>
public sealed record WorkerIdentity(uint? Uid, uint? Gid, IReadOnlyList<uint>? Groups, IReadOnlyList<KeyValuePair<string,
    string>> Variables)
{
    private static readonly string[] OfUser = ["USER", "LOGNAME", "HOME", "SHELL"];

    /// <summary>The user that owns nothing, on every Linux system (/proc/sys/kernel/overflowuid).</summary>
    private const uint Nobody = 65534;

    /// <summary>Shells that permit no login; src/basic/user-util.c of systemd has the same.</summary>
    private static readonly string[] NoLogin = ["nologin", "false", "true"];

    /// <summary>The workers' rights on files that the daemon may not trust; null if they have the daemon's own rights.</summary>
    public FileRights? Rights =>
        Uid is { } uid && uid != Processes.EffectiveUid ? new FileRights(uid, Gid ?? Processes.EffectiveGid, Groups ?? []) : null;

    /// <summary>
    /// The same for a service, whose names are looked up; null also if a name is unknown. It waits: never on the loop.
    /// </summary>
    public static FileRights? RightsOf(ServiceSpec spec) => TryLookUp(spec, out var identity, out _) ? identity.Rights : null;

    /// <summary>Whether a variable is about a user, so that another user does not inherit it.</summary>
    public static bool IsOfUser(string variable) => OfUser.Contains(variable);

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
        var hasEntry = false;
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
            (uid, gid) = (found.Uid, isOwn ? null : found.Gid);
            groups = found.Memberships;
            hasEntry = found.HasEntry;
            variables = VariablesOf(found);
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

        // As initgroups(3) in systemd, which it omits for group 0.
        if (hasEntry)
        {
            groups = gid == 0 ? [] : [gid!.Value, .. groups!.Where(id => id != gid)];
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

    /// <summary>
    /// The variables about a user. As in systemd (get_user_creds() with USER_CREDS_CLEAN), the home of nobody, a home that is the root
    /// directory and a shell that permits no login are left out: a program finds better defaults itself.
    /// </summary>
    private static List<KeyValuePair<string, string>> VariablesOf(UserAccount user)
    {
        List<KeyValuePair<string, string>> variables = [new("USER", user.Name), new("LOGNAME", user.Name)];
        if (!user.HasEntry || (user.Home.StartsWith('/') && user.Home.Trim('/').Length > 0 && user.Uid != Nobody))
        {
            variables.Add(new("HOME", user.Home));
        }

        if (user.Shell.StartsWith('/') && !NoLogin.Contains(Path.GetFileName(user.Shell)))
        {
            variables.Add(new("SHELL", user.Shell));
        }

        return variables;
    }
}
