using System.Collections.Immutable;
using Supervisor.Config.Diagnostics;
using Supervisor.Config.Settings;
using Supervisor.Core;
using Supervisor.Core.Listeners;
using Supervisor.Core.Services;

namespace Supervisor.Config;

/// <summary>
/// The settings from files or the command line before any rule is applied. It references the trees of the files: do not keep it.
/// </summary>
public sealed record ParsedConfig
{
    private readonly Lazy<ListendConfig> _readable;
    private readonly Lazy<IReadOnlyDictionary<string, SectionReading<ListenerSpec>>> _listenersByName;

    internal ParsedConfig(
        DaemonConfig daemon,
        IReadOnlyList<SectionReading<ListenerSpec>> listeners,
        IReadOnlyList<SectionReading<ServiceSpec>> services,
        ImmutableArray<ConfigDiagnostic> diagnostics,
        ConfigPlaces places)
    {
        Listeners = listeners;
        Services = services;
        Diagnostics = diagnostics;
        Places = places;
        Draft = new ListendConfig
        {
            Daemon = daemon,
            Listeners = [.. listeners.Select(l => l.Spec)],
            Services = [.. services.Select(s => s.Spec)],
        };
        _readable = new Lazy<ListendConfig>(WithoutErrors);
        _listenersByName = new(() => listeners
            .DistinctBy(listener => listener.Spec.Name)
            .ToDictionary(listener => listener.Spec.Name, StringComparer.Ordinal));
    }

    /// <summary>All errors and warnings so far, in the order in which they were found.</summary>
    public ImmutableArray<ConfigDiagnostic> Diagnostics { get; }

    /// <summary>Whether everything was read: false after a syntax error.</summary>
    public bool IsComplete { get; internal init; } = true;

    /// <summary>The positions of the settings.</summary>
    public ConfigPlaces Places { get; }

    /// <summary>What rules need to know about the machine.</summary>
    public ConfigContext Context { get; init; } = new();

    /// <summary>The absolute path of the main file; null without one, or where no rule needs it.</summary>
    public string? File { get; init; }

    /// <summary>The files that it was read from; null without files.</summary>
    public ConfigStamp? Stamp { get; init; }

    /// <summary>Whether it has passed the rules that need no host, and was not read again (<see cref="Again"/>).</summary>
    public bool IsAgain { get; private init; }

    /// <summary>Every section, with the settings that could be read and the others at their defaults.</summary>
    public ListendConfig Draft { get; private init; }

    /// <summary>The sections without an error so far.</summary>
    public ListendConfig Readable => _readable.Value;

    /// <summary>Every [listener.NAME]; a name that is defined twice is contained twice.</summary>
    internal IReadOnlyList<SectionReading<ListenerSpec>> Listeners { get; }

    /// <summary>The first definition of each listener.</summary>
    internal IReadOnlyDictionary<string, SectionReading<ListenerSpec>> ListenersByName => _listenersByName.Value;

    /// <summary>Every [service.NAME]; a name that is defined twice is contained twice.</summary>
    internal IReadOnlyList<SectionReading<ServiceSpec>> Services { get; }

    /// <summary>Every [access.NAME].</summary>
    internal IReadOnlyList<SectionReading<AccessRule>> Access { get; init; } = [];

    /// <summary>The same with the errors of files that could not be read. If no file was read, the pure rules do not run.</summary>
    public ParsedConfig With(ConfigFilesResult files) =>
        With(files.Errors) with
        {
            IsComplete = IsComplete && !files.Sources.IsEmpty,
            Stamp = files.Stamp,
            Draft = Draft with { Stamp = files.Stamp },
        };

    /// <summary>
    /// A valid configuration whose files have not changed. They are parsed only if an error has to name a place in them. It has no
    /// warnings of the rules that need no host.
    /// </summary>
    public static ParsedConfig Again(ListendConfig config, ConfigFilesResult files, ConfigContext context)
    {
        var places = new ConfigPlaces(() => ConfigParser.Documents(files.Sources, new DiagnosticList()));
        return new ParsedConfig(config.Daemon, [], [], files.Errors, places)
        {
            IsAgain = true,
            Draft = config,
            Stamp = files.Stamp,
            Context = context,
        };
    }

    /// <summary>The same with more diagnostics.</summary>
    internal ParsedConfig With(IEnumerable<ConfigDiagnostic> more) =>
        new(Draft.Daemon, Listeners, Services, Diagnostics.AddRange(more), Places)
        {
            IsComplete = IsComplete,
            Access = Access,
            Context = Context,
            IsAgain = IsAgain,
            Draft = Draft,
            Stamp = Stamp,
            File = File,
        };

    private ListendConfig WithoutErrors()
    {
        var errors = Diagnostics.Where(one => !one.IsWarning && one.Bind is null).ToList();
        return errors.Count == 0 ? Draft : new ListendConfig
        {
            Daemon = Draft.Daemon,
            Listeners = [.. Listeners.Where(l => l.Given.ContainsKey("address") && IsClean(l.Path)).Select(l => l.Spec)],
            Services = [.. Services.Where(s => s.Given.ContainsKey("command") && IsClean(s.Path)).Select(s => s.Spec)],
        };

        bool IsClean(string section) => !errors.Exists(error => error.Setting is { } setting
            && setting.StartsWith(section, StringComparison.Ordinal)
            && (setting.Length == section.Length || setting[section.Length] == '.'));
    }
}
