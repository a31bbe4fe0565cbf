namespace Supervisor.Control;

/// <summary>What <c>listend check --json</c> prints.</summary>
/// <param name="Ok">Whether nothing was found.</param>
/// <param name="Errors">Every error of the configuration.</param>
/// <param name="Failures">Every listener that could not be bound now.</param>
public sealed record CheckDocument(bool Ok, IReadOnlyList<ConfigErrorDocument> Errors, IReadOnlyList<FailureDocument> Failures)
{
    /// <summary>What is not as it should be and is no error: files that services name and that are not there now.</summary>
    public IReadOnlyList<ConfigErrorDocument> Warnings { get; init; } = [];
}

/// <summary>One error, or warning, of a configuration.</summary>
/// <param name="File">The file.</param>
/// <param name="Line">Line, from 1; 0 where there is none.</param>
/// <param name="Column">Column, from 1; 0 where there is none.</param>
/// <param name="Setting">The setting's path.</param>
/// <param name="Message">What is wrong.</param>
/// <param name="Remedy">What to do.</param>
public sealed record ConfigErrorDocument(string File, int Line, int Column, string? Setting, string Message, string? Remedy);
