namespace Supervisor.Linux.Kernel;

/// <summary>What to do if a file system refuses another file, or a write, whoever owns the file.</summary>
public static class FileSystemRemedy
{
    /// <summary>The remedy; null for another error.</summary>
    public static string? Of(string? errno) => errno switch
    {
        "ENOSPC" => "remove files: its file system has no free space or no free inode",
        "EDQUOT" => "remove files: the disk quota is reached",
        "EROFS" => "mount its file system read-write",
        _ => null,
    };
}
