using Supervisor.Config.Diagnostics;

namespace Supervisor.Config.Import;

/// <summary>
/// The unit files and drop-ins of an import. Of two files for the same unit, or two drop-ins of the same file name, the one in
/// the folder of the higher priority counts, systemd.unit(5). In folders of the same priority the later file counts.
/// </summary>
internal sealed class UnitFiles(DraftDifferences differences, Func<string, string> fullPath, ImportHost host)
{
    private readonly Dictionary<string, UnitFile> _units = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<UnitFile>> _dropIns = new(StringComparer.Ordinal);
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
    private readonly HashSet<string> _used = new(StringComparer.Ordinal);

    /// <summary>The names of the units, templates included, in the order of the files.</summary>
    public IReadOnlyCollection<string> Names => _units.Keys;

    /// <summary>Adds the file of a unit.</summary>
    public void AddUnit(string name, ConfigSource source)
    {
        if (Read(name, source) is not { } file)
        {
            return;
        }

        if (_units.TryGetValue(name, out var other))
        {
            var (kept, replaced) = file.Rank <= other.Rank ? (file, other) : (other, file);
            differences.Add(replaced.Path, Reason.NotNeeded($"{kept.Path} replaces it"));
            _units[name] = kept;
        }
        else
        {
            _units.Add(name, file);
        }
    }

    /// <summary>Adds a drop-in.</summary>
    /// <param name="name">The name of its folder, without ".d".</param>
    /// <param name="source">The file.</param>
    public void AddDropIn(string name, ConfigSource source)
    {
        if (Read($"{name}.d", source) is not { } file)
        {
            return;
        }

        if (!_dropIns.TryGetValue(name, out var files))
        {
            _dropIns.Add(name, files = []);
        }

        files.Add(file);
    }

    /// <summary>The unit of that name, or the instance of its template, with its drop-ins; null without its file.</summary>
    public SystemdUnit? Unit(string name)
    {
        var at = name.IndexOf('@', StringComparison.Ordinal);
        var template = at < 0 ? name : name[..(at + 1)] + name[name.LastIndexOf('.')..];
        return _units.TryGetValue(name, out var file) || _units.TryGetValue(template, out file)
            ? new SystemdUnit(
                name, file.Path, [.. file.Settings.Concat(DropIns(name).SelectMany(dropIn => dropIn.Settings))], host, file.FullPath)
            : null;
    }

    /// <summary>Reports the drop-ins of units that were not given.</summary>
    public void ReportUnused()
    {
        foreach (var (name, files) in _dropIns.Where(pair => !_used.Contains(pair.Key)))
        {
            foreach (var section in files.SelectMany(file => file.Sections))
            {
                differences.Add(section, Reason.Lost($"it is a drop-in for {name}, which was not given to the import"));
            }
        }
    }

    /// <summary>A unit's drop-ins in the order of their file names, each name once.</summary>
    private IEnumerable<UnitFile> DropIns(string unit)
    {
        var names = UnitFolder.DropInNames(unit).Where(_dropIns.ContainsKey).ToList();
        _used.UnionWith(names);
        return names
            .SelectMany((name, specific) => _dropIns[name].Select((file, given) => (file, specific, given)))
            .GroupBy(dropIn => dropIn.file.FileName, StringComparer.Ordinal)
            .OrderBy(group => group.Key, StringComparer.Ordinal)
            .Select(Counting);
    }

    private UnitFile Counting(IGrouping<string, (UnitFile File, int Specific, int Given)> group)
    {
        var ranked = group.OrderBy(d => d.File.Rank).ThenBy(d => d.Specific).ThenByDescending(d => d.Given).ToList();
        foreach (var (replaced, _, _) in ranked.Skip(1))
        {
            differences.Add(replaced.Path, Reason.NotNeeded($"{ranked[0].File.Path} replaces it"));
        }

        return ranked[0].File;
    }

    /// <summary>Reads a file; null if it was given before.</summary>
    private UnitFile? Read(string name, ConfigSource source)
    {
        var path = fullPath(source.Path);
        return _seen.Add($"{name} {path}")
            ? new UnitFile(source.Path, path, UnitFolder.Rank(path), UnitText.Read(source, differences))
            : null;
    }

    private sealed record UnitFile(string Path, string FullPath, int Rank, List<SourceSection> Sections)
    {
        public string FileName => Path[(Path.LastIndexOf('/') + 1)..];

        public IEnumerable<SourceSetting> Settings => Sections.SelectMany(section => section.Settings);
    }
}
