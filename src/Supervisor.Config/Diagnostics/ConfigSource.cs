namespace Supervisor.Config.Diagnostics;

/// <summary>One configuration file that has been read.</summary>
/// <param name="Path">Its path, as diagnostics name it.</param>
/// <param name="Text">Its content.</param>
public sealed record ConfigSource(string Path, string Text)
{
    /// <summary>For an import: the unit that the file is a drop-in of; null if the name of its folder says that, or if it is none.</summary>
    public string? DropInOf { get; init; }

    /// <summary>For an import: the file that this one is read for, because it lies next to it; null if it is named itself.</summary>
    public string? CompanionOf { get; init; }

    /// <summary>For an import: the file that includes this one; null if it is named itself.</summary>
    public string? IncludedBy { get; init; }

    /// <summary>For an import: whether the files that it includes are given too.</summary>
    public bool HasIncludes { get; init; }
}
