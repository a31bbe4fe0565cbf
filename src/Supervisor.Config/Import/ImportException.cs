using Supervisor.Config.Diagnostics;

namespace Supervisor.Config.Import;

/// <summary>A file that cannot be translated at all.</summary>
internal sealed class ImportException(string file, int line, string message, string? remedy = null) : Exception(message)
{
    public ConfigDiagnostic Diagnostic { get; } = new(file, line, line > 0 ? 1 : 0, null, message, remedy);

    /// <summary>Whether the file is of no kind that can be translated.</summary>
    public bool IsUnknownKind { get; init; }
}
