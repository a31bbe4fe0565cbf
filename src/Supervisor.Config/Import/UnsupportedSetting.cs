namespace Supervisor.Config.Import;

/// <summary>A setting of another program's configuration for which listend has no equivalent.</summary>
/// <param name="File">Its file.</param>
/// <param name="Line">Its line, from 1.</param>
/// <param name="Section">Its section, without brackets; empty without one.</param>
/// <param name="Setting">Its name; null for a whole section.</param>
/// <param name="Value">Its value; null for a whole section.</param>
/// <param name="Reason">Why, and what to do instead.</param>
public sealed record UnsupportedSetting(string File, int Line, string Section, string? Setting, string? Value, string Reason)
{
    /// <summary>The entry for one setting.</summary>
    internal static UnsupportedSetting Of(SourceSetting setting, string reason) =>
        new(setting.File, setting.Line, setting.Section, setting.Key, setting.Value, reason);

    /// <summary>The entry for a whole section.</summary>
    internal static UnsupportedSetting Of(SourceSection section, string reason) =>
        new(section.File, section.Line, section.Name, null, null, reason);
}
