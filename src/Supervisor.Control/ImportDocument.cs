namespace Supervisor.Control;

/// <summary>The output of <c>listenctl import --json</c>.</summary>
/// <param name="Toml">The configuration.</param>
/// <param name="Unsupported">The settings that are lost: the configuration does not have them.</param>
/// <param name="Changed">The settings for which listend does something similar, and defaults that differ.</param>
/// <param name="NotNeeded">The settings that the configuration does not have and that nothing misses.</param>
public sealed record ImportDocument(
    string Toml,
    IReadOnlyList<ImportDifferenceDocument> Unsupported,
    IReadOnlyList<ImportDifferenceDocument> Changed,
    IReadOnlyList<ImportDifferenceDocument> NotNeeded);

/// <summary>A difference between a configuration and its translation.</summary>
/// <param name="File">The file.</param>
/// <param name="Line">The line, from 1; 0 for the whole file.</param>
/// <param name="Section">The section, without brackets.</param>
/// <param name="Setting">The name; null for the whole section or file.</param>
/// <param name="Value">The value; for a whole section the names of its settings; null for the whole file.</param>
/// <param name="Reason">Why it is not as it was, and what to do instead.</param>
public sealed record ImportDifferenceDocument(string File, int Line, string Section, string? Setting, string? Value, string Reason);
