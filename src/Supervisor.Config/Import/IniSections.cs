namespace Supervisor.Config.Import;

/// <summary>The sections of INI files, as Python's configparser has them: sections with the same name are one section.</summary>
internal static class IniSections
{
    /// <summary>Joins sections with the same name. Of a setting that is written twice only one value stays.</summary>
    /// <param name="sections">The sections, in the order of the files.</param>
    /// <param name="nameOf">The name by which settings of a section are compared.</param>
    /// <param name="lastCounts">Whether the last value of a setting counts; otherwise the first does.</param>
    /// <param name="overridden">The reason for the other values.</param>
    /// <param name="differences">Gets the other values.</param>
    public static List<SourceSection> Merge(
        IEnumerable<SourceSection> sections,
        Func<SourceSetting, string> nameOf,
        bool lastCounts,
        Reason overridden,
        DraftDifferences differences)
    {
        var all = new List<SourceSection>();
        foreach (var same in sections.GroupBy(section => section.Name))
        {
            var begun = same.First();
            var merged = new SourceSection(begun.File, begun.Line, begun.Name);
            var settings = same.SelectMany(section => section.Settings).ToList();
            var counting = settings
                .GroupBy(nameOf)
                .Select(values => lastCounts ? values.Last() : values.First())
                .ToHashSet();
            foreach (var setting in settings)
            {
                if (counting.Contains(setting))
                {
                    merged.Add(setting);
                }
                else
                {
                    differences.Add(setting, overridden);
                }
            }

            all.Add(merged);
        }

        return all;
    }
}
