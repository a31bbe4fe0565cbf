using System.Collections.Immutable;
using Supervisor.Config.Diagnostics;
using Supervisor.Config.Toml;
using Supervisor.Config.Values;

namespace Supervisor.Config.Settings;

/// <summary>The settings of one kind of section, and their reader.</summary>
internal sealed class SectionTable<TSpec>
{
    private readonly Dictionary<string, Setting<TSpec>> _byKey;

    public SectionTable(ImmutableArray<Setting<TSpec>> settings)
    {
        Settings = settings;
        _byKey = settings.ToDictionary(setting => setting.Key, StringComparer.Ordinal);
    }

    public ImmutableArray<Setting<TSpec>> Settings { get; }

    /// <summary>
    /// Reads <paramref name="table"/> into <paramref name="blank"/>, which has the defaults. Every error is reported,
    /// and a setting with an error keeps its default.
    /// </summary>
    public SectionReading<TSpec> Read(TomlNode table, TSpec blank, ReadContext context)
    {
        var given = new Dictionary<string, GivenSetting<TSpec>>(StringComparer.Ordinal);
        var tried = new HashSet<string>(StringComparer.Ordinal);
        var spec = blank;
        ReadTable(table, "", context);
        foreach (var setting in Settings)
        {
            if (setting.IsRequired && !tried.Contains(setting.Key) && context.Report.IsComplete)
            {
                context.At(setting.Key).Fail(
                    table, $"{setting.Key} is missing", $"write {setting.Key} = {setting.Type.Example}");
            }
        }

        return new SectionReading<TSpec>(spec, context.Path, table, given);

        void ReadTable(TomlNode inner, string prefix, ReadContext at)
        {
            foreach (var entry in inner.Entries)
            {
                var key = prefix + entry.Key;
                var here = at.At(entry.Key);
                if (_byKey.TryGetValue(key, out var setting))
                {
                    tried.Add(key);
                    if (setting.TryApply(entry.Value, here, ref spec, out var repeatsDefault))
                    {
                        given[key] = new GivenSetting<TSpec>(setting, here.Path, entry.Value, repeatsDefault);
                    }
                }
                else if (!KeysBelow(key + ".").Any())
                {
                    here.Report.Add(
                        entry.Position, here.Path, $"unknown setting {Quoted.Text(entry.Key)}", RemedyFor(entry.Key, prefix, context.Path));
                }
                else if (entry.Value.Kind == TomlNodeKind.Table)
                {
                    ReadTable(entry.Value, key + ".", here);
                }
                else
                {
                    here.Fail(
                        entry.Value,
                        $"{entry.Value.Shown ?? entry.Value.KindName} is not a table of settings",
                        $"write {entry.Key} = {{ {string.Join(", ", KeysBelow(key + ".").Select(k => k + " = ..."))} }}");
                }
            }
        }
    }

    /// <summary>The keys directly below a prefix.</summary>
    private IEnumerable<string> KeysBelow(string prefix) => Settings
        .Where(setting => setting.Key.StartsWith(prefix, StringComparison.Ordinal))
        .Select(setting => setting.Key[prefix.Length..].Split('.')[0])
        .Distinct(StringComparer.Ordinal);

    private string RemedyFor(string key, string prefix, string section)
    {
        if (Settings.FirstOrDefault(s => s.Key == key || s.Key.EndsWith("." + key, StringComparison.Ordinal)) is { } elsewhere)
        {
            return $"did you mean {section}.{elsewhere.Key}?";
        }

        if (Spelling.Nearest(key, KeysBelow(prefix)) is { } near)
        {
            return $"did you mean {Quoted.Text(near)}?";
        }

        return Settings.FirstOrDefault(s => Spelling.Nearest(key, [s.Key.Split('.')[^1]]) is not null) is { } similar
            ? $"did you mean {section}.{similar.Key}?"
            : $"the settings here are {string.Join(", ", KeysBelow(prefix))}";
    }
}
