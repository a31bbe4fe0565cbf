using System.Collections.Concurrent;
using System.Globalization;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Paths;

/// <summary>
/// The owners whose files the daemon trusts: root, its own user, and users accepted explicitly (<c>daemon.trusted_owners</c>,
/// <c>--trusted-owner</c>). A user who can change a file, or a directory above it, controls what the daemon reads and where it
/// writes.
/// </summary>
/// <remarks>
/// <para>
/// A group may write if it is root's (0), the primary group of an accepted user, or the private group of a daemon that does not
/// run as root. A private group has the number of its user, as useradd(8) makes it (USERGROUPS_ENAB). A shared primary group
/// such as "users" does not count as one user.
/// </para>
/// <para>
/// The first use looks names up in the user database, which can take long: not on the loop. A name that is a number needs no
/// database.
/// </para>
/// </remarks>
public sealed class PathTrust
{
    /// <summary>Cached names of the user database, for the loop, which must not wait.</summary>
    private static readonly ConcurrentDictionary<string, (uint Uid, uint Gid)> Known = new(StringComparer.Ordinal);

    /// <summary>How long a message waits for a user's name.</summary>
    private static readonly TimeSpan NamePatience = TimeSpan.FromMilliseconds(100);

    private static PathTrust _inForce = new([]);
    private readonly Lazy<(uint Uid, uint Gid)[]> _accepted;

    /// <summary>Also accepts these users, by name or number. A name without an entry accepts no user.</summary>
    public PathTrust(IReadOnlyCollection<string> owners)
    {
        Owners = owners;
        _accepted = new(() => [.. owners.Select(Find).Where(user => user is not null).Select(user => user!.Value)]);
    }

    /// <summary>The trust for the files of services, from the active configuration. Any thread.</summary>
    public static PathTrust InForce
    {
        get => Volatile.Read(ref _inForce);
        set => Volatile.Write(ref _inForce, value);
    }

    /// <summary>The accepted users.</summary>
    public IReadOnlyCollection<string> Owners { get; }

    /// <summary>Whether the daemon runs as root: only then do its rights exceed every other user's.</summary>
    public static bool IsRoot => Processes.EffectiveUid == 0;

    /// <summary>Whether files of a user are trusted.</summary>
    public bool Accepts(uint uid) => uid == 0 || uid == Processes.EffectiveUid || _accepted.Value.Any(user => user.Uid == uid);

    /// <summary>The same trust plus one user: the user of a worker controls what the worker reads and writes anyway.</summary>
    public PathTrust With(uint uid) => new([.. Owners, Number(uid)]);

    /// <summary>Whether write access of a group is acceptable.</summary>
    public bool AcceptsGroup(uint gid) =>
        gid == 0 || (gid == Processes.EffectiveGid && gid == Processes.EffectiveUid) || _accepted.Value.Any(user => user.Gid == gid);

    /// <summary>Looks the names up now; the thread may wait.</summary>
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

    /// <summary>A user's name with its number, as text. Waits like <see cref="ShortName"/>.</summary>
    internal static string Name(uint uid) => WithNumber(uid, ShortName(uid));

    /// <summary>
    /// As <see cref="Name"/>, for the loop: without a wait. If the name service has not been asked yet, this is only the number,
    /// and the next message has the name.
    /// </summary>
    internal static string NameAtOnce(uint uid) => WithNumber(uid, ShortName(uid, TimeSpan.Zero));

    /// <summary>
    /// A user as a configuration names it: the name, or the number if there is no name, or no answer of the name service within
    /// <see cref="NamePatience"/>. Not on the loop.
    /// </summary>
    internal static string ShortName(uint uid) => ShortName(uid, NamePatience);

    private static string ShortName(uint uid, TimeSpan patience)
    {
        if (uid == 0)
        {
            return "root";
        }

        var number = Number(uid);
        if (UserDirectory.Host.FindUser(number, out var unknown) is null && unknown is { IsMissing: false })
        {
            UserDirectory.Host.Refresh([new AccountName(true, number)]).Wait(patience);
        }

        return UserDirectory.Host.FindUser(number, out _)?.Name ?? number;
    }

    private static string WithNumber(uint uid, string name) =>
        Number(uid) is var number && name == number ? $"uid {number}" : $"{name} (uid {number})";

    private static string Number(uint uid) => uid.ToString(CultureInfo.InvariantCulture);
}
