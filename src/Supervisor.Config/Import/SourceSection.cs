namespace Supervisor.Config.Import;

/// <summary>One section of a foreign configuration, or the part of it that one file holds.</summary>
internal sealed record SourceSection(string File, int Line, string Name)
{
    /// <summary>Its settings, in the order of the file.</summary>
    public List<SourceSetting> Settings { get; } = [];

    /// <summary>The last setting of that name, which is the one that counts; null where there is none.</summary>
    public SourceSetting? Last(string key) => Settings.FindLast(setting => setting.Key == key);
}
