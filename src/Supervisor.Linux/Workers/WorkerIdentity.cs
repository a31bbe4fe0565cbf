using System.Diagnostics.CodeAnalysis;
using Supervisor.Core.Services;
using Supervisor.Linux.Paths;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>Whom a service's workers run as, looked up once for a generation: the user database may be slow.</summary>
/// <param name="Uid">User id; null: the daemon's own.</param>
/// <param name="Gid">Group id; null: the daemon's own.</param>
/// <param name="Groups">Supplementary groups; null: the daemon's own.</param>
/// <param name="Variables">USER, LOGNAME, HOME and SHELL of another user.</param>
public sealed record WorkerIdentity(uint? Uid, uint? Gid, IReadOnlyList<uint>? Groups, IReadOnlyList<KeyValuePair<string, string>> Variables)
{
    /// <summary>What the workers may do with files that the daemon may not trust; null where they have the daemon's own rights.</summary>
    public FileRights? Rights => Uid is { } uid && uid != Processes.EffectiveUid ? new FileRights(uid, Gid ?? Processes.EffectiveGid, Groups ?? []) : null;

    /// <summary>The same for a service, which is looked up; null also where a name of it is unknown, and no worker of it can start.</summary>
    public static FileRights? RightsOf(ServiceSpec spec) => TryResolve(spec, out var identity, out _) ? identity.Rights : null;

    /// <summary>Whether the workers of two specifications are of the same user and groups.</summary>
    public static bool IsSame(ServiceSpec one, ServiceSpec other) =>
        one.User == other.User && one.Group == other.Group && one.SupplementaryGroups.SequenceEqual(other.SupplementaryGroups);

    /// <summary>Looks up the names of a service. On failure <paramref name="error"/> names setting, value and remedy.</summary>
    public static bool TryResolve(ServiceSpec spec, [NotNullWhen(true)] out WorkerIdentity? identity, [NotNullWhen(false)] out string? error)
    {
        identity = null;
        uint? uid = null;
        uint? gid = null;
        IReadOnlyList<uint>? groups = null;
        IReadOnlyList<KeyValuePair<string, string>> variables = [];
        if (spec.User is { } user)
        {
            if (Processes.FindUser(user) is not { } found)
            {
                error = $"user \"{user}\": there is no such user on this host; create it, or name another";
                return false;
            }

            (uid, gid) = (found.Uid, found.Gid);
            groups = Processes.GroupsOf(found.Name, found.Gid);
            variables = [new("USER", found.Name), new("LOGNAME", found.Name), new("HOME", found.Home), new("SHELL", found.Shell)];
        }

        if (spec.Group is { } group)
        {
            gid = Processes.FindGroup(group);
            if (gid is null)
            {
                error = $"group \"{group}\": there is no such group on this host; create it, or name another";
                return false;
            }

            groups ??= [];
        }

        if (!spec.SupplementaryGroups.IsEmpty)
        {
            var all = new List<uint>(groups ?? []);
            foreach (var name in spec.SupplementaryGroups)
            {
                if (Processes.FindGroup(name) is not { } id)
                {
                    error = $"supplementary_groups \"{name}\": there is no such group on this host; create it, or leave it out";
                    return false;
                }

                all.Add(id);
            }

            groups = all;
        }

        // Only root may set groups; where nobody else is asked for, nothing has to be set.
        if (Processes.EffectiveUid != 0 && uid == Processes.EffectiveUid && spec.SupplementaryGroups.IsEmpty)
        {
            groups = null;
        }

        identity = new WorkerIdentity(uid, gid, groups, variables);
        error = null;
        return true;
    }
}
