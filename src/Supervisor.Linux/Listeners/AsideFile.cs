namespace Supervisor.Linux.Listeners;

/// <summary>
/// A name that the file of a former socket has in the directory of its path, until that socket is closed. The state has it, because
/// a daemon that is killed before leaves it.
/// </summary>
/// <param name="path">The name, with its directory.</param>
/// <param name="identity">Device and inode of the file: no other file may be removed.</param>
internal sealed class AsideFile(string path, (ulong Device, ulong Inode) identity)
{
    /// <summary>The name, with its directory.</summary>
    public string Path => path;

    /// <summary>Device and inode of the file.</summary>
    public (ulong Device, ulong Inode) Identity => identity;

    /// <summary>Whether the name is removed.</summary>
    public bool IsRemoved { get; set; }
}
