namespace Supervisor.Config.Import;

/// <summary>A setting of a foreign configuration that listend has no equal for.</summary>
/// <param name="File">Its file.</param>
/// <param name="Line">Its line, from 1.</param>
/// <param name="Section">Its section, without brackets; empty where it stands in none.</param>
/// <param name="Setting">Its name; null where a whole section is meant.</param>
/// <param name="Value">Its value; null where a whole section is meant.</param>
/// <param name="Reason">Why, and what to do instead.</param>
public sealed record UnsupportedSetting(string File, int Line, string Section, string? Setting, string? Value, string Reason);
