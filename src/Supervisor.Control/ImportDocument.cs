namespace Supervisor.Control;

/// <summary>What <c>listenctl import --json</c> prints.</summary>
/// <param name="Toml">The configuration.</param>
/// <param name="Unsupported">The settings that are not in it.</param>
public sealed record ImportDocument(string Toml, IReadOnlyList<UnsupportedSettingDocument> Unsupported);

/// <summary>A setting without an equal.</summary>
/// <param name="File">Its file.</param>
/// <param name="Line">Its line, from 1.</param>
/// <param name="Section">Its section, without brackets.</param>
/// <param name="Setting">Its name; null: the whole section.</param>
/// <param name="Value">Its value; null: the whole section.</param>
/// <param name="Reason">Why, and what to do instead.</param>
public sealed record UnsupportedSettingDocument(string File, int Line, string Section, string? Setting, string? Value, string Reason);
