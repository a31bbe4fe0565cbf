using Supervisor.Config.Diagnostics;

namespace Supervisor.Config.Import;

/// <summary>A file that cannot be translated.</summary>
internal sealed class ImportException(string file, int line, string message, string? remedy = null) : Exception(message)
{
    public ConfigDiagnostic Diagnostic { get; } = new(file, line, line > 0 ? 1 : 0, null, message, remedy);

    /// <summary>Whether the kind of the file is unknown.</summary>
    public bool IsUnknownKind { get; init; }
}
