namespace Supervisor.Config.Import;

/// <summary>A section of another program's configuration, in one file.</summary>
internal sealed record SourceSection(string File, int Line, string Name)
{
    private readonly List<SourceSetting> _settings = [];
    private readonly Dictionary<string, SourceSetting> _last = new(StringComparer.Ordinal);

    /// <summary>The kind of a section whose name is KIND:LABEL; otherwise the whole name. Blanks around it do not count.</summary>
    public string Kind => Split(Name).Kind;

    /// <summary>The label of a section whose name is KIND:LABEL, without blanks around it; null for another name.</summary>
    public string? Label => Split(Name).Label;

    /// <summary>Its settings, in the order of the file.</summary>
    public IReadOnlyList<SourceSetting> Settings => _settings;

    /// <summary>The last setting of that name, which overrides the others; null without one.</summary>
    public SourceSetting? Last(string key) => _last.GetValueOrDefault(key);

    /// <summary>Splits the name of a section into its kind and label.</summary>
    public static (string Kind, string? Label) Split(string name) =>
        name.Split(':', 2) is [var kind, var label] ? (kind.Trim(), label.Trim()) : (name.Trim(), null);

    public void Add(SourceSetting setting)
    {
        _settings.Add(setting);
        _last[setting.Key] = setting;
    }
}
