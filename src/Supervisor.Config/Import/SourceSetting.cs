namespace Supervisor.Config.Import;

/// <summary>One line of a foreign configuration.</summary>
/// <param name="File">Its file, as the user named it.</param>
/// <param name="Line">The line on which it begins, from 1.</param>
/// <param name="Section">The section in which it stands, without brackets.</param>
/// <param name="Key">The name, as it is written there.</param>
/// <param name="Value">The value, without the blanks around it; lines that continue it are joined.</param>
internal sealed record SourceSetting(string File, int Line, string Section, string Key, string Value);
