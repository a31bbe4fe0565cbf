using Supervisor.Config.Diagnostics;

namespace Supervisor.Config.Import;

/// <summary>
/// Units of systemd. Each .socket becomes a listener for each of its addresses. Each .service becomes a service with the
/// listeners of the sockets that start it, in the order of the files, as systemd passes them.
/// </summary>
internal sealed class SystemdImport(ImportDraft draft, Func<string, string> fullPath, ImportHost host)
{
    private readonly UnitFiles _files = new(draft.Differences, fullPath, host);

    /// <summary>Adds the file of a unit, or a drop-in for the unit.</summary>
    public void Add(string unit, ConfigSource source, bool isDropIn)
    {
        if (isDropIn)
        {
            _files.AddDropIn(unit, source);
        }
        else
        {
            _files.AddUnit(unit, source);
        }
    }

    public void Translate()
    {
        var units = Instances().Select(_files.Unit).OfType<SystemdUnit>().ToList();
        _files.ReportUnused();
        var services = units.Where(u => u.Type == "service").ToList();
        var sockets = units.Where(u => u.Type == "socket").Select(u => new SystemdSocketImport(u, draft)).ToList();
        var names = units.Select(u => u.Name).ToHashSet();
        foreach (var socket in sockets)
        {
            socket.Translate(names);
        }

        var byService = sockets.ToLookup(socket => socket.Service);
        var byName = sockets.ToLookup(socket => socket.Unit.Name);
        var written = new List<(SystemdUnit Unit, DraftSection Section)>();
        foreach (var service in services)
        {
            var listed = byService[service.Name].Concat(Named(service, "Sockets").SelectMany(name => byName[name])).ToHashSet();
            if (new SystemdServiceImport(service, draft).Translate([.. sockets.Where(listed.Contains)], names) is { } section)
            {
                written.Add((service, section));
            }
        }

        SystemdOrder.Translate(written);
        foreach (var unit in written.Select(one => one.Unit).Concat(sockets.Select(socket => socket.Unit)))
        {
            ReportHost(unit);
        }
    }

    /// <summary>Reports settings that are written with facts of this host.</summary>
    private void ReportHost(SystemdUnit unit)
    {
        foreach (var setting in SystemdLists.Effective(unit).Where(setting => setting.Section is "Service" or "Socket"))
        {
            foreach (var (specifier, value) in SystemdSpecifiers.OfHost(setting.Value, host))
            {
                if (!draft.Differences.IsLost(setting))
                {
                    draft.Differences.Add(setting, CommonReasons.OfHost($"%{specifier}", value));
                }
            }
        }
    }

    private static IEnumerable<string> Named(SystemdUnit unit, string key) => unit.List("Service", key)
        .SelectMany(s => (SystemdSpecifiers.Expand(s.Value, unit, out _) ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries));

    /// <summary>
    /// The names of the units. A template is replaced by its instances: those that other units of the import name, and
    /// DefaultInstance= if there are none.
    /// </summary>
    private List<string> Instances()
    {
        var templates = _files.Names.Where(IsTemplate).ToHashSet();
        var names = _files.Names.Where(name => !IsTemplate(name)).ToList();
        var found = names.ToHashSet();
        for (var i = 0; i < names.Count; i++)
        {
            var named = Partners(_files.Unit(names[i])!).Where(n => templates.Contains(Template(n)) && found.Add(n));
            names.AddRange([.. named]);
        }

        var used = names.Select(Template).ToHashSet();
        foreach (var template in templates.Where(t => !used.Contains(t)))
        {
            var unit = _files.Unit(template)!;
            names.Add(unit.Last("Install", "DefaultInstance") is { } instance
                ? $"{unit.Prefix}@{instance.Value}.{unit.Type}"
                : template);
        }

        // In the order of the files, as systemd has one of them for each template.
        var order = _files.Names.Select((name, index) => (name, index)).ToDictionary(pair => pair.name, pair => pair.index);
        return [.. names.OrderBy(name => order.TryGetValue(name, out var at) || order.TryGetValue(Template(name), out at) ? at : 0)];
    }

    /// <summary>The units that belong to a unit: the service of a socket, and the sockets of a service.</summary>
    private static IEnumerable<string> Partners(SystemdUnit unit) => unit.Type == "socket"
        ? [SystemdSocketImport.ServiceOf(unit)]
        : Named(unit, "Sockets").Append($"{unit.Stem}.socket");

    private static bool IsTemplate(string name) => name.Contains("@.", StringComparison.Ordinal);

    private static string Template(string name) =>
        name.IndexOf('@', StringComparison.Ordinal) is var at and >= 0 ? name[..(at + 1)] + name[name.LastIndexOf('.')..] : "";
}
