namespace Supervisor.Native;

/// <summary>What a generation is pinned to: enum listend_pin of spawn.h.</summary>
public enum PinKind
{
    /// <summary>The working directory.</summary>
    Directory,

    /// <summary>The program, or the script that is executed as one.</summary>
    Program,

    /// <summary>The interpreter in the program's #! line.</summary>
    Interpreter,

    /// <summary>The script that an argument names.</summary>
    Script,
}

/// <summary>How the launcher found what is pinned: enum listend_use of spawn.h.</summary>
public enum PinUse
{
    /// <summary>The configured path leads there.</summary>
    Path,

    /// <summary>The configured path leads elsewhere; by the path that the file has.</summary>
    Resolved,

    /// <summary>The file has no path any more; by its descriptor.</summary>
    Descriptor,

    /// <summary>The file has no path, and there is no descriptor: the file that has its path now.</summary>
    Replaced,
}

/// <summary>A file or directory that the launcher has to find again (pin.h).</summary>
/// <param name="Device">Major number in the upper 32 bits, minor number in the lower ones.</param>
/// <param name="Inode">Inode number.</param>
/// <param name="OwnPath">The path with the symbolic links of its directory resolved.</param>
/// <param name="RealPath">The path without symbolic links.</param>
/// <param name="Descriptor">O_PATH, which the caller keeps open until <see cref="ChildProcess.Finish"/>; null if it was lost.</param>
public sealed record LaunchPin(ulong Device, ulong Inode, string OwnPath, string RealPath, DescriptorHandle? Descriptor);

/// <summary>What the launcher found: struct listend_pin_report of spawn.h.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Use">How it was found.</param>
/// <param name="Device">As in <see cref="LaunchPin"/>.</param>
/// <param name="Inode">Inode number.</param>
/// <param name="Found">The path by which it was found; empty: by its descriptor.</param>
/// <param name="OwnPath">As in <see cref="LaunchPin"/>.</param>
/// <param name="Descriptor">O_PATH, owned by the receiver; null if the daemon has one.</param>
public sealed record PinReport(
    PinKind Kind, PinUse Use, ulong Device, ulong Inode, string Found, string OwnPath, DescriptorHandle? Descriptor);
