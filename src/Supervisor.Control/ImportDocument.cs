namespace Supervisor.Control;

/// <summary>The output of <c>listenctl import --json</c>.</summary>
/// <param name="Toml">The configuration.</param>
/// <param name="Unsupported">The settings that the configuration does not have.</param>
public sealed record ImportDocument(string Toml, IReadOnlyList<UnsupportedSettingDocument> Unsupported);

/// <summary>A setting without an equivalent.</summary>
/// <param name="File">The file.</param>
/// <param name="Line">The line, from 1.</param>
/// <param name="Section">The section, without brackets.</param>
/// <param name="Setting">The name; null for the whole section.</param>
/// <param name="Value">The value; null for the whole section.</param>
/// <param name="Reason">Why it has no equivalent, and what to do instead.</param>
public sealed record UnsupportedSettingDocument(string File, int Line, string Section, string? Setting, string? Value, string Reason);
