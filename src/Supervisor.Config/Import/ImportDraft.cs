using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Supervisor.Config.Diagnostics;
using Supervisor.Config.Settings;
using Supervisor.Config.Validation;

namespace Supervisor.Config.Import;

/// <summary>
/// The configuration that a translation builds. The parser accepts its text: a setting that the parser rejects (an option that
/// cannot apply to the address, a value out of range) is removed and listed with the parser's reason, until there are no errors.
/// </summary>
internal sealed class ImportDraft
{
    private const string SeeSection = "see the section";

    private readonly HashSet<string> _names = new(StringComparer.Ordinal);

    /// <summary>Comments at the top.</summary>
    public List<string> Remarks { get; } = [];

    public List<DraftSection> Sections { get; } = [];

    /// <summary>Settings without an equivalent that belong to no section of the draft.</summary>
    public List<UnsupportedSetting> Unsupported { get; } = [];

    /// <summary>Adds a section with this name, or with a similar name if it is used or invalid.</summary>
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

    /// <summary>Lists a setting that belongs to no section of the draft.</summary>
    public void NoEquivalent(SourceSetting setting, string reason) =>
        Unsupported.Add(UnsupportedSetting.Of(setting, reason));

    /// <summary>Lists a whole section and each setting in it.</summary>
    public void NoEquivalent(SourceSection section, string reason)
    {
        Unsupported.Add(UnsupportedSetting.Of(section, reason));
        section.Settings.ForEach(setting => NoEquivalent(setting, SeeSection));
    }

    /// <summary>Removes everything that the parser rejects, and returns the text.</summary>
    public ImportResult Finish(IReadOnlyList<ConfigSource> sources)
    {
        while (true)
        {
            var (text, lines) = Render(sources);
            var errors = Sections.Count == 0 ? [] : Errors(text);
            if (errors.IsEmpty)
            {
                return Sections.Count > 0
                    ? new ImportResult(text, [.. All()], [])
                    : new ImportResult(null, [.. All()], [new ConfigDiagnostic(
                        sources[0].Path, 0, 0, null, "no listener and no service can be translated" + Reasons(),
                        "give the files that define them too, such as NAME.socket and NAME.service")]);
            }

            Remove(errors, lines);
        }
    }

    private static ImmutableArray<ConfigDiagnostic> Errors(string text)
    {
        var parsed = ConfigParser.Parse([new ConfigSource("import", text)], new ConfigContext());
        return RuleSet.For(Profile.Check).Validate(parsed).Errors;
    }

    private IEnumerable<UnsupportedSetting> All() => Unsupported.Concat(Sections.SelectMany(section => section.Unsupported));

    private string Reasons() => string.Concat(Unsupported
        .Where(u => u.Setting is null || u.Reason != SeeSection)
        .Take(20)
        .Select(u => "\n  " + Text(u)));

    /// <summary>Removes the setting or section of the first error of each line. Each call removes something, so the loop ends.</summary>
    private void Remove(ImmutableArray<ConfigDiagnostic> errors, List<(DraftSection Section, DraftLine? Line)?> lines)
    {
        var removed = 0;
        foreach (var error in errors.DistinctBy(error => error.Line))
        {
            if (error.Line < 1 || error.Line > lines.Count || lines[error.Line - 1] is not { } at)
            {
                continue;
            }

            removed++;
            var reason = error.Remedy is null or "remove the setting" ? error.Message : $"{error.Message}; {error.Remedy}";
            if (at.Line is null || at.Line.Key is "address" or "command")
            {
                Drop(at.Section, at.Line, reason);
            }
            else
            {
                at.Section.Lines.Remove(at.Line);

                // A setting that applies to only some of several addresses stays set for these, as in the other program.
                if (at.Line.Origin is { } origin
                    && !Sections.Exists(s => s.Lines.Exists(l => l.Origin == origin && l.Key == at.Line.Key)))
                {
                    at.Section.NoEquivalent(origin, reason);
                }
            }
        }

        if (removed == 0)
        {
            throw new InvalidOperationException("the translation does not parse: " + errors[0]);
        }
    }

    /// <summary>Removes a section that is useless without the rejected setting.</summary>
    private void Drop(DraftSection section, DraftLine? line, string reason)
    {
        Sections.Remove(section);
        foreach (var origin in section.Lines.Select(l => l.Origin).OfType<SourceSetting>().Distinct())
        {
            NoEquivalent(origin, origin == line?.Origin ? reason : $"it belongs to {section.Header}, which cannot be written");
        }

        Unsupported.AddRange(section.Unsupported);
        if (section.Kind == "listener")
        {
            foreach (var service in Sections.Where(s => s.Listeners.Remove(section.Name)))
            {
                service.Remarks.Add($"{section.Header} cannot be written (see above): list it in listeners when you have added it");
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
        Line(Comment("Check it on this machine with \"listend check --config FILE\"."));
        Remarks.ForEach(remark => Line(Comment(remark)));
        ListWithoutEquivalent(Unsupported);
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

            ListWithoutEquivalent(section.Unsupported);
        }

        return (text.ToString(), lines);

        void ListWithoutEquivalent(List<UnsupportedSetting> unsupported)
        {
            if (unsupported.Count > 0)
            {
                Line(Comment("no equivalent:"));
                unsupported.ForEach(u => Line(Comment("  " + Text(u))));
            }
        }
    }

    private static string Text(UnsupportedSetting u) => u.Setting is null
        ? $"{u.File}:{u.Line}: [{u.Section}]: {u.Reason}"
        : $"{u.File}:{u.Line}: [{u.Section}] {u.Setting}={u.Value}: {u.Reason}";

    /// <summary>A comment on one line, without control characters, which TOML forbids in comments.</summary>
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
