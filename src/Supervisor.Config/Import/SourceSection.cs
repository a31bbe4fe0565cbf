namespace Supervisor.Config.Import;

/// <summary>A section of another program's configuration, in one file.</summary>
internal sealed record SourceSection(string File, int Line, string Name)
{
    /// <summary>Its settings, in the order of the file.</summary>
    public List<SourceSetting> Settings { get; } = [];

    /// <summary>The last setting of that name, which overrides the others; null without one.</summary>
    public SourceSetting? Last(string key) => Settings.FindLast(setting => setting.Key == key);
}
