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

    /// <summary>What stands before the <c>@</c>; the stem of a unit that is no instance.</summary>
    public string Prefix => Stem.IndexOf('@', StringComparison.Ordinal) is var at and >= 0 ? Stem[..at] : Stem;

    /// <summary>What stands after the <c>@</c>, escaped; empty for a template; null for a unit that is neither.</summary>
    public string? Instance => Stem.IndexOf('@', StringComparison.Ordinal) is var at and >= 0 ? Stem[(at + 1)..] : null;

    /// <summary>All settings, drop-ins last, in the order in which systemd applies them.</summary>
    public List<SourceSetting> Settings { get; } = [];

    /// <summary>The settings of that name which count: an empty one takes back those before it.</summary>
    public IEnumerable<SourceSetting> List(string section, string key)
    {
        var all = Settings.Where(s => s.Section == section && s.Key == key).ToList();
        var reset = all.FindLastIndex(s => s.Value.Length == 0);
        return all.Skip(reset + 1);
    }

    /// <summary>The setting of that name which counts; null where there is none, or an empty one took it back.</summary>
    public SourceSetting? Last(string section, string key) => List(section, key).LastOrDefault();
}
