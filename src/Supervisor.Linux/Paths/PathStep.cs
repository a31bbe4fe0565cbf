using System.Globalization;
using Supervisor.Native;

namespace Supervisor.Linux.Paths;

/// <summary>Why a component of a path is not the daemon's own.</summary>
public enum PathFlaw
{
    /// <summary>It is.</summary>
    None,

    /// <summary>It belongs to another user, who may change it, its mode, or what is in it.</summary>
    Owner,

    /// <summary>A group may write to it.</summary>
    Group,

    /// <summary>Everybody may write to it.</summary>
    Others,

    /// <summary>It lies on a FUSE file system that another user has mounted, who answers for every owner and mode there.</summary>
    FileSystem,
}

/// <summary>One component of a path as the kernel walked it.</summary>
/// <param name="Path">The path to it, without links.</param>
/// <param name="Status">Its owner and mode, from its own descriptor.</param>
/// <param name="Target">Where it leads; null where it is not a symbolic link.</param>
/// <param name="Flaw">Why it is not the daemon's own.</param>
public sealed record PathStep(string Path, Files.Status Status, string? Target, PathFlaw Flaw)
{
    /// <summary>The mode as chmod(1) takes it.</summary>
    public string Mode => "0" + Convert.ToString(Status.Permissions, 8);

    /// <summary>Its owner: name and number.</summary>
    public string Owner => PathTrust.Name(Status.Uid);

    /// <summary>Directory, link or what else it is.</summary>
    public string Kind => (Status.Mode & 0xF000) switch
    {
        0x4000 => "directory",
        0x8000 => "file",
        0xA000 => "symbolic link",
        0x1000 => "FIFO",
        0x2000 or 0x6000 => "device",
        0xC000 => "socket",
        _ => "file of unknown type",
    };

    /// <summary>What is wrong with it, for people; it names owner, mode and where a link leads.</summary>
    public string Fault => Flaw switch
    {
        PathFlaw.None => "",
        PathFlaw.FileSystem => $"the {Kind} {Path} is on a FUSE file system that another user has mounted, who can show any content",
        PathFlaw.Owner => $"the {Kind} {Path}{Leads} belongs to {Owner}, mode {Mode}, who can replace what listend opens there",
        PathFlaw.Group => string.Create(CultureInfo.InvariantCulture, $"the {Kind} {Path} is writable by its group (gid {Status.Gid}), owner {Owner}, mode {Mode}"),
        PathFlaw.Others => $"the {Kind} {Path} is writable by everybody, owner {Owner}, mode {Mode}",
        _ => throw new InvalidOperationException(Flaw.ToString()),
    };

    /// <summary>What to do about it.</summary>
    /// <param name="accept">How its owner can be accepted, such as <c>daemon.trusted_owners</c>; null where that cannot be.</param>
    public string Remedy(string? accept)
    {
        var fix = Flaw switch
        {
            PathFlaw.None => "",
            PathFlaw.FileSystem => "use a path outside that file system",
            PathFlaw.Owner => Status.IsLink ? $"chown -h root {Path}" : $"chown root {Path}",
            PathFlaw.Group => $"chmod g-w {Path}",
            PathFlaw.Others => $"chmod o-w {Path}",
            _ => throw new InvalidOperationException(Flaw.ToString()),
        };
        return accept is null || Flaw is PathFlaw.Others or PathFlaw.None ? fix : $"{fix}, or {accept}";
    }

    private string Leads => Target is null ? "" : $" (it leads to {Target})";
}
