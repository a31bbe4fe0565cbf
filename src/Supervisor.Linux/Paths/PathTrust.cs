using System.Collections.Concurrent;
using System.Globalization;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Paths;

/// <summary>
/// Whose files the daemon takes for its own: root's, its own user's, and those of users that were accepted knowingly
/// (<c>daemon.trusted_owners</c>, <c>--trusted-owner</c>). Whoever else can change a file, or a directory above it, decides
/// what the daemon reads or where it writes.
/// </summary>
/// <remarks>
/// <para>
/// A group may write where it is root's (0), or the primary group of a user who was accepted, or the group of a daemon that
/// is not root and has a group of its own: one with the number of its user, as useradd(8) makes them (USERGROUPS_ENAB).
/// A shared primary group such as "users" is not taken for one user.
/// </para>
/// <para>
/// Names are looked up in the user database when they are needed first, which can take long: not on the loop. A name that
/// is a number needs no database.
/// </para>
/// </remarks>
public sealed class PathTrust
{
    /// <summary>Answers of the user database: the same names are asked for again when the loop needs them, which must not wait.</summary>
    private static readonly ConcurrentDictionary<string, (uint Uid, uint Gid)> Known = new(StringComparer.Ordinal);

    private static PathTrust _inForce = new([]);
    private readonly Lazy<(uint Uid, uint Gid)[]> _accepted;

    /// <summary>Accepts these users too, by name or number. A name that no user has accepts nobody.</summary>
    public PathTrust(IReadOnlyCollection<string> owners)
    {
        Owners = owners;
        _accepted = new(() => [.. owners.Select(Find).Where(user => user is not null).Select(user => user!.Value)]);
    }

    /// <summary>What holds for the files of services: the configuration that is in force says so. Any thread.</summary>
    public static PathTrust InForce
    {
        get => Volatile.Read(ref _inForce);
        set => Volatile.Write(ref _inForce, value);
    }

    /// <summary>The users that were accepted.</summary>
    public IReadOnlyCollection<string> Owners { get; }

    /// <summary>Whether this daemon is root: only then is there a boundary between it and every other user.</summary>
    public static bool IsRoot => Processes.EffectiveUid == 0;

    /// <summary>Whether a user's files are taken for the daemon's own.</summary>
    public bool Accepts(uint uid) => uid == 0 || uid == Processes.EffectiveUid || _accepted.Value.Any(user => user.Uid == uid);

    /// <summary>The same trust, and a user as well: whoever runs a worker decides what the worker reads and writes anyway.</summary>
    public PathTrust With(uint uid) => new([.. Owners, uid.ToString(CultureInfo.InvariantCulture)]);

    /// <summary>Whether a group that may write changes nothing.</summary>
    public bool AcceptsGroup(uint gid) =>
        gid == 0 || (gid == Processes.EffectiveGid && gid == Processes.EffectiveUid) || _accepted.Value.Any(user => user.Gid == gid);

    /// <summary>Looks the names up now, on a thread that may wait.</summary>
    public PathTrust Resolve()
    {
        _ = _accepted.Value;
        return this;
    }

    private static (uint Uid, uint Gid)? Find(string name)
    {
        if (Known.TryGetValue(name, out var known))
        {
            return known;
        }

        UserDirectory.Host.Refresh([new AccountName(true, name)]).GetAwaiter().GetResult();
        return UserDirectory.Host.FindUser(name, out _) is { } user ? Known.GetOrAdd(name, (user.Uid, user.Gid)) : null;
    }

    /// <summary>A user's name for people, with its number.</summary>
    internal static string Name(uint uid)
    {
        var number = uid.ToString(CultureInfo.InvariantCulture);
        return ShortName(uid) is var name && name == number ? $"uid {number}" : $"{name} (uid {number})";
    }

    /// <summary>As a configuration takes it: the name, or the number where it has none.</summary>
    internal static string ShortName(uint uid)
    {
        var number = uid.ToString(CultureInfo.InvariantCulture);
        return Processes.FindUser(number)?.Name ?? number;
    }
}
