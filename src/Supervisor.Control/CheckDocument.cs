namespace Supervisor.Control;

/// <summary>The output of <c>listend check --json</c>.</summary>
/// <param name="Ok">Whether there is no error and no failure.</param>
/// <param name="Errors">Every error of the configuration.</param>
/// <param name="Failures">Every listener that the kernel would not bind now.</param>
public sealed record CheckDocument(bool Ok, IReadOnlyList<ConfigErrorDocument> Errors, IReadOnlyList<FailureDocument> Failures)
{
    /// <summary>Warnings: for example files that services name and that do not exist now.</summary>
    public IReadOnlyList<ConfigErrorDocument> Warnings { get; set; } = [];

    /// <summary>By what the kernel selects among the sockets of each listener that has shards or steering; none with --offline.</summary>
    public IReadOnlyList<SelectionDocument> Selections { get; set; } = [];

    /// <summary>Every path that listend opens: configuration files, runtime directory, log and environment files.</summary>
    public IReadOnlyList<OpenedPathDocument> Paths { get; set; } = [];
}

/// <summary>A path that the daemon opens, with each of its components.</summary>
/// <param name="Path">The path as configured.</param>
/// <param name="Setting">The setting that names it; null for a configuration file.</param>
/// <param name="OpenedBy">The user whose rights open the path: the daemon's, or the worker's if other users can write there.</param>
/// <param name="Trusted">Whether only trusted users can write there.</param>
/// <param name="Components">The components in the order of the lookup, from the root; links included.</param>
public sealed record OpenedPathDocument(
    string Path, string? Setting, string OpenedBy, bool Trusted, IReadOnlyList<PathComponentDocument> Components);

/// <summary>One component of a path.</summary>
/// <param name="Path">The path of the component, without links.</param>
/// <param name="Kind">directory, file, "symbolic link" and so on.</param>
/// <param name="Owner">The owner's name and number.</param>
/// <param name="Mode">The mode, octal.</param>
/// <param name="Target">The target of a link; null for other kinds.</param>
/// <param name="Fault">Why the component is not trusted; null if it is trusted.</param>
public sealed record PathComponentDocument(string Path, string Kind, string Owner, string Mode, string? Target, string? Fault);

/// <summary>One error, or warning, of a configuration.</summary>
/// <param name="File">The file.</param>
/// <param name="Line">Line, from 1; 0 without a line.</param>
/// <param name="Column">Column, from 1; 0 without a column.</param>
/// <param name="Setting">The setting's path.</param>
/// <param name="Message">What is wrong.</param>
/// <param name="Remedy">What to do.</param>
public sealed record ConfigErrorDocument(string File, int Line, int Column, string? Setting, string Message, string? Remedy);
