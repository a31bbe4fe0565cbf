namespace Supervisor.Config.Import;

/// <summary>A section of the draft.</summary>
/// <param name="kind"><c>listener</c> or <c>service</c>.</param>
/// <param name="name">A valid name.</param>
internal sealed class DraftSection(string kind, string name)
{
    public string Kind { get; } = kind;

    public string Name { get; } = name;

    /// <summary>Its header.</summary>
    public string Header => $"[{Kind}.{TomlLiteral.Key(Name)}]";

    /// <summary>Comments above the header.</summary>
    public List<string> Remarks { get; } = [];

    public List<DraftLine> Lines { get; } = [];

    /// <summary>Names of listeners, in descriptor order, of a service.</summary>
    public List<string> Listeners { get; } = [];

    public List<UnsupportedSetting> Unsupported { get; } = [];

    /// <summary>Writes a setting, or replaces an earlier value of it.</summary>
    public void Set(string key, string literal, SourceSetting? origin = null, string? remark = null)
    {
        var line = new DraftLine(key, literal, origin, remark);
        var at = Lines.FindIndex(other => other.Key == key);
        if (at >= 0)
        {
            Lines[at] = line;
        }
        else
        {
            Lines.Add(line);
        }
    }

    /// <summary>Lists a setting that has no equivalent.</summary>
    public void NoEquivalent(SourceSetting setting, string reason) =>
        Unsupported.Add(UnsupportedSetting.Of(setting, reason));
}
