using Supervisor.Native;

namespace Supervisor.Linux.Kernel;

/// <summary>A user of the host.</summary>
/// <param name="Uid">User id.</param>
/// <param name="Gid">Primary group.</param>
/// <param name="Name">Name.</param>
/// <param name="Home">Home directory.</param>
/// <param name="Shell">Login shell.</param>
/// <param name="Memberships">The groups that name the user as a member. The primary one need not be among them.</param>
public sealed record UserAccount(uint Uid, uint Gid, string Name, string Home, string Shell, IReadOnlyList<uint> Memberships)
{
    /// <summary>Whether the host has such a user; else it is a mere number, and so is its group.</summary>
    public bool HasEntry { get; init; } = true;

    /// <summary>Without an entry: the group that has the user's number, and so has nothing to do with it; null if there is none.</summary>
    public string? OthersGroup { get; init; }
}

/// <summary>
/// Users and groups by name. A call takes as long as the slowest source of <c>/etc/nsswitch.conf</c>, for example a directory
/// server that does not respond. Never call it on the loop; use <see cref="UserDirectory"/>.
/// </summary>
public interface IUserDatabase
{
    /// <summary>A user by name or number; null if there is none. A number without an entry is a user with that number.</summary>
    UserAccount? FindUser(string nameOrNumber);

    /// <summary>A group by name or number; null if there is none.</summary>
    uint? FindGroup(string nameOrNumber);
}

/// <summary>The host's user database: getpwnam_r(3), getgrnam_r(3) and getgrouplist(3) of the C library.</summary>
internal sealed class HostUserDatabase : IUserDatabase
{
    /// <inheritdoc/>
    public UserAccount? FindUser(string nameOrNumber) => UserDatabase.FindUser(nameOrNumber) is { } user
        ? new UserAccount(user.Uid, user.Gid, user.Name, user.Home, user.Shell, user.HasEntry ? UserDatabase.MembershipsOf(user.Name) : [])
        {
            HasEntry = user.HasEntry,
            OthersGroup = user.HasEntry ? null : UserDatabase.GroupName(user.Gid),
        }
        : null;

    /// <inheritdoc/>
    public uint? FindGroup(string nameOrNumber) => UserDatabase.FindGroup(nameOrNumber);
}
