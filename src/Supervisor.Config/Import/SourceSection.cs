namespace Supervisor.Config.Import;

/// <summary>A section of another program's configuration, in one file.</summary>
internal sealed record SourceSection(string File, int Line, string Name)
{
    private readonly List<SourceSetting> _settings = [];
    private readonly Dictionary<string, SourceSetting> _last = new(StringComparer.Ordinal);

    /// <summary>Its settings, in the order of the file.</summary>
    public IReadOnlyList<SourceSetting> Settings => _settings;

    /// <summary>The last setting of that name, which overrides the others; null without one.</summary>
    public SourceSetting? Last(string key) => _last.GetValueOrDefault(key);

    public void Add(SourceSetting setting)
    {
        _settings.Add(setting);
        _last[setting.Key] = setting;
    }
}
