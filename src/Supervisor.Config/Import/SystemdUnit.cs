namespace Supervisor.Config.Import;

/// <summary>One unit of systemd, with its drop-ins.</summary>
/// <param name="name">Its whole name, such as <c>web@8080.service</c>.</param>
internal sealed class SystemdUnit(string name)
{
    /// <summary>The whole name.</summary>
    public string Name { get; } = name;

    /// <summary><c>service</c> or <c>socket</c>.</summary>
    public string Type { get; } = name[(name.LastIndexOf('.') + 1)..];

    /// <summary>The name without its type.</summary>
    public string Stem { get; } = name[..name.LastIndexOf('.')];

    /// <summary>The part before the <c>@</c>; the stem if the unit is not an instance.</summary>
    public string Prefix => Stem.IndexOf('@', StringComparison.Ordinal) is var at and >= 0 ? Stem[..at] : Stem;

    /// <summary>The part after the <c>@</c>, escaped; empty for a template; null for other units.</summary>
    public string? Instance => Stem.IndexOf('@', StringComparison.Ordinal) is var at and >= 0 ? Stem[(at + 1)..] : null;

    /// <summary>All settings, drop-ins last, in the order in which systemd applies them.</summary>
    public List<SourceSetting> Settings { get; } = [];

    /// <summary>The effective settings of a name: an empty value resets the ones before it.</summary>
    public IEnumerable<SourceSetting> List(string section, string key)
    {
        var all = Settings.Where(s => s.Section == section && s.Key == key).ToList();
        var reset = all.FindLastIndex(s => s.Value.Length == 0);
        return all.Skip(reset + 1);
    }

    /// <summary>The effective setting of a name; null without one, or after a reset by an empty value.</summary>
    public SourceSetting? Last(string section, string key) => List(section, key).LastOrDefault();
}
