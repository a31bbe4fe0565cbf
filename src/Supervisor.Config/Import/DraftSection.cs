using Supervisor.Core.Services;

namespace Supervisor.Config.Import;

/// <summary>A section of the draft.</summary>
/// <param name="kind"><c>listener</c> or <c>service</c>.</param>
/// <param name="name">A valid name.</param>
/// <param name="file">The file that it is translated from.</param>
/// <param name="differences">The differences of the draft.</param>
internal sealed class DraftSection(string kind, string name, string file, DraftDifferences differences)
{
    private readonly List<DraftLine> _lines = [];
    private readonly Dictionary<string, int> _index = new(StringComparer.Ordinal);

    public string Kind { get; } = kind;

    public string Name { get; } = name;

    /// <summary>Its header.</summary>
    public string Header => $"[{Kind}.{TomlLiteral.Key(Name)}]";

    /// <summary>The file that it is translated from.</summary>
    public string File { get; } = file;

    /// <summary>What the other program calls it; null without a description.</summary>
    public string? Title { get; set; }

    public IReadOnlyList<DraftLine> Lines => _lines;

    /// <summary>Names of listeners, in descriptor order, of a service.</summary>
    public List<string> Listeners { get; } = [];

    /// <summary>A comment on the listeners; null without one.</summary>
    public string? ListenersRemark { get; set; }

    /// <summary>The setting of that key; null without one.</summary>
    public DraftLine? Line(string key) => _index.TryGetValue(key, out var at) ? _lines[at] : null;

    /// <summary>
    /// Writes a setting, or replaces an earlier value of it. What listend would take for a placeholder in a command or the environment
    /// stands for itself.
    /// </summary>
    public void Set(string key, string literal, SourceSetting? origin = null, string? remark = null) => SetWithPlaceholders(
        key,
        key == "command" || key.StartsWith("environment.", StringComparison.Ordinal) ? Placeholders.Escape(literal) : literal,
        origin,
        remark);

    /// <summary>Writes a setting whose placeholders are meant for listend.</summary>
    public void SetWithPlaceholders(string key, string literal, SourceSetting? origin = null, string? remark = null)
    {
        var line = new DraftLine(key, literal, origin, remark);
        if (_index.TryGetValue(key, out var at))
        {
            _lines[at] = line;
        }
        else
        {
            _index.Add(key, _lines.Count);
            _lines.Add(line);
        }
    }

    /// <summary>Removes settings.</summary>
    public void Remove(IReadOnlySet<DraftLine> lines)
    {
        _lines.RemoveAll(lines.Contains);
        _index.Clear();
        foreach (var line in _lines)
        {
            _index.Add(line.Key, _index.Count);
        }
    }

    /// <summary>Reports a setting that is not written as it was.</summary>
    public void Report(SourceSetting setting, Reason reason) => differences.Add(setting, reason);

    /// <summary>Reports a default of the other program that differs.</summary>
    public void Report(Reason reason) => differences.Add(File, reason);

    /// <summary>Reports a setting that has no equivalent.</summary>
    public void Lost(SourceSetting setting, string reason) => differences.Add(setting, Reason.Lost(reason));

    /// <summary>Reports a setting that has only a similar equivalent.</summary>
    public void Changed(SourceSetting setting, string reason) => differences.Add(setting, Reason.Changed(reason));
}
