using System.Globalization;
using Supervisor.Native;

namespace Supervisor.Linux.Paths;

/// <summary>Why a path component is not trusted.</summary>
public enum PathFlaw
{
    /// <summary>The component is trusted.</summary>
    None,

    /// <summary>Another user owns it and can change its content or mode.</summary>
    Owner,

    /// <summary>A group can write to it.</summary>
    Group,

    /// <summary>Every user can write to it.</summary>
    Others,

    /// <summary>It is on a FUSE file system that another user has mounted, who controls every owner and mode there.</summary>
    FileSystem,
}

/// <summary>One component of a path as the walk found it.</summary>
/// <param name="Path">The path of the component, without links.</param>
/// <param name="Status">Its owner and mode, read from its descriptor.</param>
/// <param name="Target">The link's target; null if it is not a symbolic link.</param>
/// <param name="Flaw">Why it is not trusted.</param>
public sealed record PathStep(string Path, Files.Status Status, string? Target, PathFlaw Flaw)
{
    /// <summary>The mode in octal, as for chmod(1).</summary>
    public string Mode => "0" + Convert.ToString(Status.Permissions, 8);

    /// <summary>Its owner: name and number. Not on the loop, because the name service may be slow.</summary>
    public string Owner => PathTrust.Name(Status.Uid);

    /// <summary>The file type in words: directory, symbolic link and so on.</summary>
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

    /// <summary>What is wrong with it, in words: owner, mode and link target. Like <see cref="Owner"/>, not on the loop.</summary>
    public string Fault => Describe(Owner);

    /// <summary><see cref="Fault"/>, for the loop: without a wait for the owner's name.</summary>
    internal string FaultAtOnce => Describe(PathTrust.NameAtOnce(Status.Uid));

    /// <summary>The remedy.</summary>
    /// <param name="accept">How to accept its owner, such as <c>daemon.trusted_owners</c>; null if that is not
    /// possible.</param>
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

    private string Describe(string owner) => Flaw switch
    {
        PathFlaw.None => "",
        PathFlaw.FileSystem => $"the {Kind} {Path} is on a FUSE file system that another user has mounted, who can show any content",
        PathFlaw.Owner => $"the {Kind} {Path}{Leads} belongs to {owner}, mode {Mode}, who can replace what listend opens there",
        PathFlaw.Group => string.Create(
            CultureInfo.InvariantCulture,
            $"the {Kind} {Path} is writable by its group (gid {Status.Gid}), owner {owner}, mode {Mode}"),
        PathFlaw.Others => $"the {Kind} {Path} is writable by every user, owner {owner}, mode {Mode}",
        _ => throw new InvalidOperationException(Flaw.ToString()),
    };
}
