namespace Supervisor.Config.Import;

/// <summary>After= and Before= between services of the import, which become <c>after</c>, systemd.unit(5).</summary>
internal static class SystemdOrder
{
    /// <summary>Whether the value of a setting of [Unit] is a list of units.</summary>
    public static bool NamesUnits(string key) => key is
        "After" or "Before" or "Wants" or "Requires" or "BindsTo" or "PartOf" or "Conflicts" or "Requisite" or "Upholds";

    /// <summary>The units that such a setting names.</summary>
    public static IEnumerable<string> Units(SourceSetting setting) =>
        setting.Value.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Writes <c>after</c> of each service.</summary>
    /// <param name="services">The services, with their sections.</param>
    public static void Translate(IReadOnlyList<(SystemdUnit Unit, DraftSection Section)> services)
    {
        var sections = services.ToDictionary(service => service.Unit.Name, service => service.Section, StringComparer.Ordinal);
        var after = new Dictionary<DraftSection, List<(string Name, SourceSetting Setting)>>();
        foreach (var (unit, section) in services)
        {
            foreach (var (setting, other) in Named(unit, "After"))
            {
                Add(section, other, setting);
            }

            foreach (var (setting, other) in Named(unit, "Before"))
            {
                Add(other, section, setting);
            }
        }

        foreach (var (section, names) in after)
        {
            section.Set("after", TomlLiteral.Of(names.Select(one => one.Name).Distinct()), names[0].Setting);
        }

        IEnumerable<(SourceSetting Setting, DraftSection Other)> Named(SystemdUnit unit, string key) =>
            from setting in unit.List("Unit", key)
            from name in Units(setting)
            where name != unit.Name && sections.ContainsKey(name)
            select (setting, sections[name]);

        void Add(DraftSection later, DraftSection earlier, SourceSetting setting)
        {
            if (!after.TryGetValue(later, out var names))
            {
                after.Add(later, names = []);
            }

            names.Add((earlier.Name, setting));
        }
    }
}
