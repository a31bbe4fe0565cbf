using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Supervisor.Config.Diagnostics;
using Supervisor.Config.Settings;
using Supervisor.Config.Validation;

namespace Supervisor.Config.Import;

/// <summary>
/// The configuration that a translation builds up. What it writes has passed the parser: a setting that the parser
/// refuses (an option on an address that cannot have it, a value out of range) is taken out and named with the parser's
/// reason, until nothing is refused any more.
/// </summary>
internal sealed class ImportDraft
{
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);

    /// <summary>What stands at the top.</summary>
    public List<string> Remarks { get; } = [];

    public List<DraftSection> Sections { get; } = [];

    /// <summary>What has no equal and belongs to no section that is written.</summary>
    public List<UnsupportedSetting> Unsupported { get; } = [];

    /// <summary>A new section, under that name or, where that is taken or not allowed, one made from it.</summary>
    public DraftSection Add(string kind, string wanted)
    {
        var allowed = string.Concat(wanted.Take(60).Select(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-' ? c : '-'));
        if (SettingTypes.CheckName(allowed) is not null)
        {
            allowed = kind;
        }

        var name = allowed;
        for (var i = 2; !_names.Add($"{kind}.{name}"); i++)
        {
            name = string.Create(CultureInfo.InvariantCulture, $"{allowed}-{i}");
        }

        var section = new DraftSection(kind, name);
        Sections.Add(section);
        return section;
    }

    /// <summary>Names a setting that belongs to no section that is written.</summary>
    public void NoEqual(SourceSetting setting, string reason) =>
        Unsupported.Add(new UnsupportedSetting(setting.File, setting.Line, setting.Section, setting.Key, setting.Value, reason));

    /// <summary>Names a whole section and each setting in it.</summary>
    public void NoEqual(SourceSection section, string reason)
    {
        Unsupported.Add(new UnsupportedSetting(section.File, section.Line, section.Name, null, null, reason));
        section.Settings.ForEach(setting => NoEqual(setting, "see the section"));
    }

    /// <summary>The text, after everything that the parser refuses has been taken out of it.</summary>
    public ImportResult Finish(IReadOnlyList<ConfigSource> sources)
    {
        while (true)
        {
            var (text, lines) = Render(sources);
            var errors = Sections.Count == 0 ? [] : RuleSet.For(Profile.Check).Validate(ConfigParser.Parse([new ConfigSource("import", text)], new ConfigContext())).Errors;
            if (errors.IsEmpty)
            {
                return Sections.Count > 0
                    ? new ImportResult(text, [.. All()], [])
                    : new ImportResult(null, [.. All()], [new ConfigDiagnostic(
                        sources[0].Path, 0, 0, null, "there is no listener and no service in it that could be translated" + Reasons(),
                        "give the files that define them too, such as NAME.socket and NAME.service")]);
            }

            TakeOut(errors, lines);
        }
    }

    private IEnumerable<UnsupportedSetting> All() => Unsupported.Concat(Sections.SelectMany(section => section.Unsupported));

    private string Reasons() => string.Concat(Unsupported.Where(u => u.Setting is null || u.Reason != "see the section").Take(20).Select(u => "\n  " + Text(u)));

    /// <summary>Takes out what the first error of each line is about. Something goes each time, so that it ends.</summary>
    private void TakeOut(ImmutableArray<ConfigDiagnostic> errors, List<(DraftSection Section, DraftLine? Line)?> lines)
    {
        var gone = 0;
        foreach (var error in errors.DistinctBy(error => error.Line))
        {
            if (error.Line < 1 || error.Line > lines.Count || lines[error.Line - 1] is not { } at)
            {
                continue;
            }

            gone++;
            var reason = error.Remedy is null or "remove the setting" ? error.Message : $"{error.Message}; {error.Remedy}";
            if (at.Line is null || at.Line.Key is "address" or "command")
            {
                Drop(at.Section, at.Line, reason);
            }
            else
            {
                at.Section.Lines.Remove(at.Line);

                // What one address of several cannot have is not lost: it is set for the others, as the other program does.
                if (at.Line.Origin is { } origin && !Sections.Exists(s => s.Lines.Exists(l => l.Origin == origin && l.Key == at.Line.Key)))
                {
                    at.Section.NoEqual(origin, reason);
                }
            }
        }

        if (gone == 0)
        {
            throw new InvalidOperationException("the translation does not parse: " + errors[0]);
        }
    }

    /// <summary>Takes out a section that is nothing without the setting that was refused.</summary>
    private void Drop(DraftSection section, DraftLine? line, string reason)
    {
        Sections.Remove(section);
        foreach (var origin in section.Lines.Select(l => l.Origin).OfType<SourceSetting>().Distinct())
        {
            NoEqual(origin, origin == line?.Origin ? reason : $"it belongs to {section.Header}, which could not be written");
        }

        Unsupported.AddRange(section.Unsupported);
        if (section.Kind == "listener")
        {
            foreach (var service in Sections.Where(s => s.Listeners.Remove(section.Name)))
            {
                service.Remarks.Add($"{section.Header} could not be written (see above): list it in listeners when you have it");
            }
        }
    }

    private (string Text, List<(DraftSection Section, DraftLine? Line)?> Lines) Render(IReadOnlyList<ConfigSource> sources)
    {
        var text = new StringBuilder();
        var lines = new List<(DraftSection, DraftLine?)?>();
        void Line(string line, DraftSection? section = null, DraftLine? setting = null)
        {
            text.Append(line).Append('\n');
            lines.Add(section is null ? null : (section, setting));
        }

        Line(Comment($"Translated by \"listenctl import\" from {string.Join(", ", sources.Select(s => s.Path))}."));
        Line(Comment("\"listend check --config FILE\" tells what would stand in its way on this machine."));
        Remarks.ForEach(remark => Line(Comment(remark)));
        NoEquals(Unsupported);
        foreach (var section in Sections)
        {
            Line("");
            section.Remarks.ForEach(remark => Line(Comment(remark)));
            Line(section.Header, section);
            foreach (var setting in section.Lines)
            {
                var remark = setting.Remark is null ? "" : $"  {Comment(setting.Remark)}";
                Line($"{setting.Key} = {setting.Literal}{remark}", section, setting);
                if (setting.Key == "command" && section.Listeners.Count > 0)
                {
                    Line($"listeners = {TomlLiteral.Of(section.Listeners)}", section);
                }
            }

            NoEquals(section.Unsupported);
        }

        return (text.ToString(), lines);

        void NoEquals(List<UnsupportedSetting> unsupported)
        {
            if (unsupported.Count > 0)
            {
                Line(Comment("no equal:"));
                unsupported.ForEach(u => Line(Comment("  " + Text(u))));
            }
        }
    }

    private static string Text(UnsupportedSetting u) => u.Setting is null
        ? $"{u.File}:{u.Line}: [{u.Section}]: {u.Reason}"
        : $"{u.File}:{u.Line}: [{u.Section}] {u.Setting}={u.Value}: {u.Reason}";

    /// <summary>A comment on one line, whatever is in it: TOML allows no control character there.</summary>
    private static string Comment(string text)
    {
        var comment = new StringBuilder("# ");
        foreach (var rune in text.EnumerateRunes())
        {
            comment.Append(Rune.IsControl(rune) ? " " : rune.ToString());
        }

        return comment.ToString().TrimEnd();
    }
}
