using System.Collections.Immutable;
using System.Globalization;
using Supervisor.Config.Diagnostics;
using Supervisor.Config.Settings;
using Supervisor.Config.Validation;

namespace Supervisor.Config.Import;

/// <summary>
/// The configuration that a translation builds. The parser accepts its text: a setting that the parser rejects (an option that
/// cannot apply to the address, a value out of range) is removed and reported with the parser's reason, until there are no errors.
/// </summary>
/// <param name="files">The files to translate.</param>
internal sealed class ImportDraft(IReadOnlyList<ConfigSource> files)
{
    private const int MaxReasons = 3;

    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);

    public List<DraftSection> Sections { get; } = [];

    /// <summary>What is not in the draft as it was.</summary>
    public DraftDifferences Differences { get; } = new(files.Select(file => file.Path));

    /// <summary>Whether a file is empty.</summary>
    public bool IsBlank(string path) => files.Any(file => file.Path == path && string.IsNullOrWhiteSpace(file.Text));

    /// <summary>Adds a section with this name, or with a similar name if it is used or invalid.</summary>
    /// <param name="kind"><c>listener</c> or <c>service</c>.</param>
    /// <param name="wanted">The name that the other program has for it.</param>
    /// <param name="file">The file that it is translated from.</param>
    public DraftSection Add(string kind, string wanted, string file)
    {
        var allowed = string.Concat(wanted.Take(60).Select(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-' ? c : '-'));
        if (SettingTypes.CheckName(allowed) is not null)
        {
            allowed = kind;
        }

        var name = allowed;
        while (!_names.Add($"{kind}.{name}"))
        {
            // A number for each name: the next free one is found at once, also among many.
            var number = _numbers.GetValueOrDefault($"{kind}.{allowed}", 1) + 1;
            _numbers[$"{kind}.{allowed}"] = number;
            name = string.Create(CultureInfo.InvariantCulture, $"{allowed}-{number}");
        }

        var section = new DraftSection(kind, name, file, Differences);
        Sections.Add(section);
        return section;
    }

    /// <summary>Reports a setting that belongs to no section of the draft.</summary>
    public void Lost(SourceSetting setting, string reason) => Differences.Add(setting, Reason.Lost(reason));

    /// <summary>Reports a whole section.</summary>
    public void Lost(SourceSection section, string reason) => Differences.Add(section, Reason.Lost(reason));

    /// <summary>Removes everything that the parser rejects, and returns the text.</summary>
    public ImportResult Finish()
    {
        while (Sections.Count > 0)
        {
            var differences = Differences.Sorted();
            var text = DraftText.Of(Sections, differences);
            var errors = Errors(text.Text);
            if (errors.IsEmpty)
            {
                return new ImportResult(text.Text, differences, []);
            }

            Remove(errors, text);
        }

        var reasons = Reasons();
        return new ImportResult(null, Differences.Sorted(), [new ConfigDiagnostic(
            files[0].Path, 0, 0, null, "no listener and no service can be translated" + reasons,
            reasons.Length == 0 ? "give the files that define them too, such as NAME.socket and NAME.service" : null)]);
    }

    private static ImmutableArray<ConfigDiagnostic> Errors(string text)
    {
        var parsed = ConfigParser.Parse([new ConfigSource(DraftText.Name, text)], new ConfigContext());
        return RuleSet.For(Profile.Check).Validate(parsed).Errors;
    }

    /// <summary>The first causes. The diagnostic names the first file.</summary>
    private string Reasons() => string.Concat(DifferenceText
        .Blocks(Differences.Sorted().Where(d => d is { Kind: DifferenceKind.Lost, IsConsequence: false }), files[0].Path)
        .Take(MaxReasons)
        .Select((block, index) => (index == 0 ? ": " : "; ") + block));

    /// <summary>Removes the setting or section of the first error of each line. Each call removes something, so the loop ends.</summary>
    private void Remove(ImmutableArray<ConfigDiagnostic> errors, DraftText text)
    {
        var settings = new Dictionary<DraftLine, (DraftSection Section, string Reason)>(ReferenceEqualityComparer.Instance);
        var sections = new Dictionary<DraftSection, (DraftLine? Line, string Reason)>();
        foreach (var error in errors.DistinctBy(error => error.Line))
        {
            var reason = text.WithSources(
                error.Remedy is null or "remove the setting" ? error.Message : $"{error.Message}; {error.Remedy}");
            if (text.At(error.Line) is not { } at)
            {
                continue;
            }

            if (at.Line is null || at.Line.Key is "address" or "command")
            {
                sections.TryAdd(at.Section, (at.Line, reason));
            }
            else
            {
                settings.TryAdd(at.Line, (at.Section, reason));
            }
        }

        if (settings.Count + sections.Count == 0)
        {
            throw new ImportException(files[0].Path, 0, $"the translation is not valid: {errors[0]}");
        }

        RemoveSettings(settings);
        RemoveSections(sections);
    }

    private void RemoveSettings(Dictionary<DraftLine, (DraftSection Section, string Reason)> rejected)
    {
        var lines = rejected.Keys.ToHashSet<DraftLine>(ReferenceEqualityComparer.Instance);
        foreach (var section in rejected.Values.Select(at => at.Section).Distinct())
        {
            section.Remove(lines);
        }

        // A setting that applies to only some of several addresses stays set for these, as in the other program.
        var written = Sections.SelectMany(section => section.Lines).Select(line => (line.Origin, line.Key)).ToHashSet();
        foreach (var (line, (section, reason)) in rejected)
        {
            if (line.Origin is { } origin && !written.Contains((origin, line.Key)))
            {
                section.Lost(origin, reason);
            }
        }
    }

    /// <summary>Removes sections that are useless without the rejected setting.</summary>
    private void RemoveSections(Dictionary<DraftSection, (DraftLine? Line, string Reason)> rejected)
    {
        Sections.RemoveAll(rejected.ContainsKey);
        var written = Sections.SelectMany(section => section.Lines).Select(line => line.Origin).ToHashSet();
        foreach (var (section, (line, reason)) in rejected)
        {
            var other = Reason.LostToo($"it belongs to {section.Header}, which cannot be written");
            foreach (var origin in section.Lines.Select(l => l.Origin).OfType<SourceSetting>().Distinct())
            {
                if (origin == line?.Origin || !written.Contains(origin))
                {
                    section.Report(origin, origin == line?.Origin ? Reason.Lost(reason) : other);
                }
            }
        }

        var listeners = rejected.Keys.Where(s => s.Kind == "listener").ToDictionary(s => s.Name);
        foreach (var service in Sections)
        {
            foreach (var name in service.Listeners.Where(listeners.ContainsKey))
            {
                service.Report(Reason.Lost($"{listeners[name].Header} cannot be written: list it in listeners when you have added it"));
            }

            service.Listeners.RemoveAll(listeners.ContainsKey);
        }
    }
}
