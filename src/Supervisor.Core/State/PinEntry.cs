namespace Supervisor.Core.State;

/// <summary>A file or directory that a generation is pinned to.</summary>
public sealed record PinEntry
{
    /// <summary>The generation.</summary>
    public required int Generation { get; init; }

    /// <summary>What it is: <c>directory</c>, <c>program</c>, <c>interpreter</c> or <c>script</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>Device number: the major number in the upper 32 bits, the minor number in the lower ones.</summary>
    public required ulong Device { get; init; }

    /// <summary>Inode number.</summary>
    public required ulong Inode { get; init; }

    /// <summary>The path by which it was found.</summary>
    public required string Found { get; init; }

    /// <summary>The same path with the symbolic links of its directory resolved.</summary>
    public required string OwnPath { get; init; }

    /// <summary>The path without symbolic links.</summary>
    public required string RealPath { get; init; }
}
