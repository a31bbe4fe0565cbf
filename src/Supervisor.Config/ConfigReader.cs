using Supervisor.Config.Diagnostics;
using Supervisor.Config.Settings;
using Supervisor.Config.Toml;
using Supervisor.Config.Values;
using Supervisor.Core;
using Supervisor.Core.Listeners;
using Supervisor.Core.Services;

namespace Supervisor.Config;

/// <summary>Reads trees setting by setting: each section by its table of settings.</summary>
internal sealed class ConfigReader
{
    private static readonly string[] Sections = ["daemon", "listener", "service", "access"];

    /// <summary>The address of a specification until the configured one is read; a section without an address is an error.</summary>
    private static readonly ListenAddress Unread = ListenAddress.AnyFamily(ListenerKind.Tcp, 0);

    private readonly ReadContext _context;
    private readonly Dictionary<string, TomlEntry> _defined = new(StringComparer.Ordinal);
    private readonly List<SectionReading<ListenerSpec>> _listeners = [];
    private readonly List<SectionReading<ServiceSpec>> _services = [];
    private readonly List<SectionReading<AccessRule>> _access = [];
    private DaemonConfig _daemon = new();

    private ConfigReader(DiagnosticList report, ConfigContext context) => _context = new ReadContext("", report, context);

    public static ParsedConfig Read(IReadOnlyList<TomlNode> documents, DiagnosticList report, ConfigContext context)
    {
        var reader = new ConfigReader(report, context);
        foreach (var document in documents)
        {
            reader.ReadDocument(document);
        }

        var daemon = reader._access.Count == 0
            ? reader._daemon
            : reader._daemon with { Access = [.. reader._access.Select(rule => rule.Spec)] };
        return new ParsedConfig(daemon, reader._listeners, reader._services, report.ToImmutable(), new ConfigPlaces(documents))
        {
            Access = reader._access,
            IsComplete = report.IsComplete,
            Context = context,
        };
    }

    private void ReadDocument(TomlNode document)
    {
        foreach (var entry in document.Entries)
        {
            var at = _context.At(entry.Key);
            if (!Sections.Contains(entry.Key))
            {
                var what = entry.Value.Kind == TomlNodeKind.Table ? "section" : "setting";
                at.Report.Add(
                    entry.Position,
                    at.Path,
                    $"unknown {what} {Quoted.Text(entry.Key)}",
                    Spelling.Nearest(entry.Key, Sections) is { } near
                        ? $"did you mean {Quoted.Text(near)}?"
                        : "the sections are [daemon], [listener.NAME], [service.NAME] and [access.NAME]");
            }
            else if (entry.Value.Kind != TomlNodeKind.Table)
            {
                at.Fail(entry.Value, $"{entry.Value.Shown ?? entry.Value.KindName} is not a section", Headline(entry.Key));
            }
            else if (entry.Key == "daemon")
            {
                ReadDaemon(entry.Value, at);
            }
            else
            {
                foreach (var named in entry.Value.Entries)
                {
                    ReadNamed(entry.Key, named, at);
                }
            }
        }
    }

    private void ReadDaemon(TomlNode table, ReadContext at)
    {
        foreach (var entry in table.Entries)
        {
            Define(entry, at.At(entry.Key).Path);
        }

        _daemon = DaemonSettings.Table.Read(table, _daemon, at).Spec;
    }

    private void ReadNamed(string section, TomlEntry entry, ReadContext at)
    {
        var inner = at.At(entry.Key);
        if (entry.Value.Kind != TomlNodeKind.Table)
        {
            inner.Fail(
                entry.Value,
                $"{entry.Value.Shown ?? entry.Value.KindName} is not a table of settings: "
                + $"in [{section}] each key is the name of a {section}",
                Headline(section));
            return;
        }

        if (SettingTypes.CheckName(entry.Key) is { } fault)
        {
            inner.Report.Add(entry.Position, inner.Path, fault.Message, fault.Remedy);
        }

        Define(entry, inner.Path);
        if (section == "listener")
        {
            _listeners.Add(ListenerSettings.Table.Read(entry.Value, new ListenerSpec { Name = entry.Key, Address = Unread }, inner));
        }
        else if (section == "access")
        {
            _access.Add(AccessSettings.Table.Read(entry.Value, new AccessRule { Name = entry.Key }, inner));
        }
        else
        {
            _services.Add(ServiceSettings.Table.Read(entry.Value, new ServiceSpec { Name = entry.Key, Command = [] }, inner));
        }
    }

    /// <summary>
    /// Records where a key is defined, and reports a second definition in another file. TomlDocument reports one in the same file.
    /// </summary>
    private void Define(TomlEntry entry, string path)
    {
        if (!_defined.TryAdd(path, entry))
        {
            _context.Report.AddTwice(entry.Position, path, entry.Key, _defined[path].Position);
        }
    }

    private static string Headline(string section) => section == "daemon" ? "write [daemon]" : $"write [{section}.NAME]";
}
