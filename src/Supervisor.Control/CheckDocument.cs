namespace Supervisor.Control;

/// <summary>What <c>listend check --json</c> prints.</summary>
/// <param name="Ok">Whether nothing was found.</param>
/// <param name="Errors">Every error of the configuration.</param>
/// <param name="Failures">Every listener that could not be bound now.</param>
public sealed record CheckDocument(bool Ok, IReadOnlyList<ConfigErrorDocument> Errors, IReadOnlyList<FailureDocument> Failures)
{
    /// <summary>What is not as it should be and is no error: files that services name and that are not there now.</summary>
    public IReadOnlyList<ConfigErrorDocument> Warnings { get; init; } = [];

    /// <summary>Every path that listend opens: configuration files, runtime directory, log and environment files.</summary>
    public IReadOnlyList<OpenedPathDocument> Paths { get; init; } = [];
}

/// <summary>A path that the daemon opens.</summary>
/// <param name="Path">As it is written.</param>
/// <param name="Setting">The setting that names it; null for a configuration file.</param>
/// <param name="OpenedBy">Whose rights it is opened with: the daemon's user, or the workers' where others may have written there.</param>
/// <param name="Trusted">Whether only trusted users may have written there.</param>
/// <param name="Components">Each component, from the root on, links where they are met.</param>
public sealed record OpenedPathDocument(string Path, string? Setting, string OpenedBy, bool Trusted, IReadOnlyList<PathComponentDocument> Components);

/// <summary>One component of a path.</summary>
/// <param name="Path">The path to it, without links.</param>
/// <param name="Kind">directory, file, "symbolic link" and so on.</param>
/// <param name="Owner">Its owner, name and number.</param>
/// <param name="Mode">Its mode, octal.</param>
/// <param name="Target">Where a link leads; null for anything else.</param>
/// <param name="Fault">Why it is not trusted; null where it is.</param>
public sealed record PathComponentDocument(string Path, string Kind, string Owner, string Mode, string? Target, string? Fault);

/// <summary>One error, or warning, of a configuration.</summary>
/// <param name="File">The file.</param>
/// <param name="Line">Line, from 1; 0 where there is none.</param>
/// <param name="Column">Column, from 1; 0 where there is none.</param>
/// <param name="Setting">The setting's path.</param>
/// <param name="Message">What is wrong.</param>
/// <param name="Remedy">What to do.</param>
public sealed record ConfigErrorDocument(string File, int Line, int Column, string? Setting, string Message, string? Remedy);
