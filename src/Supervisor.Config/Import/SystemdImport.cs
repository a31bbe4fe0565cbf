using Supervisor.Config.Diagnostics;

namespace Supervisor.Config.Import;

/// <summary>
/// Units of systemd. Each .socket becomes a listener for each of its addresses. Each .service becomes a service with the
/// listeners of the sockets that start it, in the order of the files, as systemd passes them.
/// </summary>
internal sealed class SystemdImport(ImportDraft draft)
{
    private readonly List<SystemdUnit> _units = [];
    private readonly List<(string Unit, List<SourceSection> Sections)> _dropIns = [];

    /// <summary>Adds the file of a unit, or a drop-in for the unit.</summary>
    public void Add(string unit, ConfigSource source, bool isDropIn)
    {
        var sections = UnitText.Read(source);
        if (isDropIn)
        {
            _dropIns.Add((unit, sections));
        }
        else
        {
            var added = new SystemdUnit(unit);
            added.Settings.AddRange(sections.SelectMany(section => section.Settings));
            _units.Add(added);
        }
    }

    public void Translate()
    {
        foreach (var (unit, sections) in _dropIns)
        {
            var meant = _units.Where(u => AppliesTo(unit, u)).ToList();
            meant.ForEach(u => u.Settings.AddRange(sections.SelectMany(s => s.Settings)));
            if (meant.Count == 0)
            {
                sections.ForEach(s => draft.NoEquivalent(s, $"it is a drop-in for {unit}, which was not given to the import"));
            }
        }

        var services = _units.Where(u => u.Type == "service").ToList();
        var sockets = _units.Where(u => u.Type == "socket").Select(u => new SystemdSocketImport(u, draft)).ToList();
        foreach (var socket in sockets)
        {
            socket.Translate(services.Exists(s => s.Name == socket.Service));
        }

        foreach (var service in services)
        {
            var named = service.List("Service", "Sockets")
                .SelectMany(s => s.Value.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .ToList();
            new SystemdServiceImport(service, draft)
                .Translate([.. sockets.Where(s => s.Service == service.Name || named.Contains(s.Name))]);
        }
    }

    /// <summary>Whether a drop-in is for the unit, for the template of its instance, or for all units of its type.</summary>
    private static bool AppliesTo(string dropIn, SystemdUnit unit) =>
        dropIn == unit.Name || dropIn == unit.Type || (unit.Instance is not null && dropIn == $"{unit.Prefix}@.{unit.Type}");
}
