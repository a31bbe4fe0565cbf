using System.Collections.Immutable;

namespace Supervisor.Config.Import;

/// <summary>Collects the differences of a translation. A difference that is reported twice is kept once.</summary>
/// <param name="files">The names of the files, in the order in which they were given.</param>
internal sealed class DraftDifferences(IEnumerable<string> files)
{
    private readonly Dictionary<string, int> _order =
        files.Distinct().Select((file, index) => (file, index)).ToDictionary(pair => pair.file, pair => pair.index);
    private readonly HashSet<ImportDifference> _known = [];
    private readonly HashSet<(string File, int Line)> _lost = [];
    private readonly List<ImportDifference> _all = [];

    /// <summary>Reports a setting.</summary>
    public void Add(SourceSetting setting, Reason reason) =>
        Add(new ImportDifference(reason.Kind, setting.File, setting.Line, setting.Section, setting.Spelling, setting.Value, reason.Text)
        {
            IsConsequence = reason.IsConsequence,
        });

    /// <summary>Reports a whole section with all its settings.</summary>
    public void Add(SourceSection section, Reason reason) =>
        Add(section.File, section.Line, section.Name, section.Settings.Select(setting => setting.Key), reason);

    /// <summary>Reports settings of a section together.</summary>
    public void Add(string file, int line, string section, IEnumerable<string> keys, Reason reason) =>
        Add(new ImportDifference(reason.Kind, file, line, section, null, string.Join(", ", keys.Distinct()), reason.Text)
        {
            IsConsequence = reason.IsConsequence,
        });

    /// <summary>Reports a default of the other program that applies to the whole file.</summary>
    public void Add(string file, Reason reason) => Add(new ImportDifference(reason.Kind, file, 0, "", null, null, reason.Text));

    /// <summary>Whether the setting is lost.</summary>
    public bool IsLost(SourceSetting setting) => _lost.Contains((setting.File, setting.Line));

    /// <summary>All differences, by kind, then in the order of the files and their lines.</summary>
    public ImmutableArray<ImportDifference> Sorted() =>
        [.. _all.OrderBy(d => d.Kind).ThenBy(d => _order.GetValueOrDefault(d.File, int.MaxValue)).ThenBy(d => d.Line)];

    private void Add(ImportDifference difference)
    {
        if (_known.Add(difference))
        {
            _all.Add(difference);
            if (difference.Kind == DifferenceKind.Lost)
            {
                _lost.Add((difference.File, difference.Line));
            }
        }
    }
}
