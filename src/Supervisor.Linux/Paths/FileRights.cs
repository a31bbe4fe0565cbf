namespace Supervisor.Linux.Paths;

/// <summary>A user's rights on files.</summary>
/// <param name="Uid">User id.</param>
/// <param name="Gid">Group id.</param>
/// <param name="Groups">Supplementary groups.</param>
public sealed record FileRights(uint Uid, uint Gid, IReadOnlyList<uint> Groups)
{
    /// <summary>The user's name, for messages.</summary>
    public string Name => PathTrust.Name(Uid);
}
