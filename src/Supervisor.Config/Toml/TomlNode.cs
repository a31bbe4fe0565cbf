using Supervisor.Config.Diagnostics;

namespace Supervisor.Config.Toml;

/// <summary>A value of a TOML document, with its position.</summary>
internal sealed class TomlNode
{
    // Most nodes are scalars: these are made when they are needed.
    private Dictionary<string, TomlEntry>? _byKey;
    private List<TomlEntry>? _entries;
    private List<TomlNode>? _items;

    private TomlNode(TomlNodeKind kind, SourcePosition position)
    {
        Kind = kind;
        Position = position;
    }

    public TomlNodeKind Kind { get; }

    public SourcePosition Position { get; }

    /// <summary>The name in diagnostics instead of the path, for an option of the command line.</summary>
    public string? SettingName { get; init; }

    /// <summary>The value of a string; the spelling of a number or a date.</summary>
    public string Text { get; private init; } = "";

    public long Integer { get; private init; }

    /// <summary>Whether an integer does not fit into 64 bits, so it is out of every range.</summary>
    public bool IsHuge { get; private init; }

    public bool Boolean { get; private init; }

    /// <summary>How a table was defined; meaningless for other kinds.</summary>
    public TableOrigin Origin { get; set; }

    /// <summary>A table's entries in the order in which they stand.</summary>
    public IReadOnlyList<TomlEntry> Entries => _entries ?? [];

    /// <summary>An array's elements.</summary>
    public IReadOnlyList<TomlNode> Items => _items ?? [];

    /// <summary>"a string", "an integer" and so on.</summary>
    public string KindName => Kind switch
    {
        TomlNodeKind.String => "a string",
        TomlNodeKind.Integer => "an integer",
        TomlNodeKind.Float => "a floating-point number",
        TomlNodeKind.Boolean => "a boolean",
        TomlNodeKind.DateTime => "a date or time",
        TomlNodeKind.Array => "an array",
        TomlNodeKind.Table => "a table",
        TomlNodeKind.Broken => "unreadable",
        _ => throw new InvalidOperationException(),
    };

    /// <summary>The value as messages show it: on one line and of bounded length; null for tables and arrays.</summary>
    public string? Shown => Kind switch
    {
        TomlNodeKind.String => Quoted.Text(Text),
        TomlNodeKind.Boolean => Boolean ? "true" : "false",
        TomlNodeKind.Integer or TomlNodeKind.Float or TomlNodeKind.DateTime => Text,
        _ => null,
    };

    public static TomlNode OfString(string text, SourcePosition position, string? settingName = null) =>
        new(TomlNodeKind.String, position) { Text = text, SettingName = settingName };

    public static TomlNode OfInteger(long value, string spelling, SourcePosition position, string? settingName = null) =>
        new(TomlNodeKind.Integer, position) { Integer = value, Text = spelling, SettingName = settingName };

    public static TomlNode OfHugeInteger(string spelling, SourcePosition position, string? settingName = null) =>
        new(TomlNodeKind.Integer, position)
        {
            Integer = spelling.StartsWith('-') ? long.MinValue : long.MaxValue,
            IsHuge = true,
            Text = spelling,
            SettingName = settingName,
        };

    public static TomlNode OfBoolean(bool value, SourcePosition position) => new(TomlNodeKind.Boolean, position) { Boolean = value };

    public static TomlNode OfFloat(string spelling, SourcePosition position) => new(TomlNodeKind.Float, position) { Text = spelling };

    public static TomlNode OfDateTime(string spelling, SourcePosition position) => new(TomlNodeKind.DateTime, position) { Text = spelling };

    public static TomlNode OfBroken(SourcePosition position) => new(TomlNodeKind.Broken, position);

    public static TomlNode OfArray(SourcePosition position, string? settingName = null) =>
        new(TomlNodeKind.Array, position) { SettingName = settingName };

    public static TomlNode OfTable(SourcePosition position, TableOrigin origin, string? settingName = null) =>
        new(TomlNodeKind.Table, position) { Origin = origin, SettingName = settingName };

    /// <summary>The entry of a key, or null.</summary>
    public TomlEntry? Find(string key) => _byKey?.GetValueOrDefault(key);

    /// <summary>Adds an entry; false, without a change, if the key exists.</summary>
    public bool TryAdd(TomlEntry entry)
    {
        if (!(_byKey ??= new(StringComparer.Ordinal)).TryAdd(entry.Key, entry))
        {
            return false;
        }

        (_entries ??= []).Add(entry);
        return true;
    }

    public void Add(TomlNode item) => (_items ??= []).Add(item);

    /// <summary>A diagnostic about this value, under <paramref name="path"/> unless an option of the command line set it.</summary>
    public ConfigDiagnostic Diagnostic(string path, string message, string remedy) =>
        new(Position.File, Position.Line, Position.Column, SettingName ?? path, message, remedy);
}
