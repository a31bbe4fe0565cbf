using Supervisor.Config.Diagnostics;

namespace Supervisor.Config.Import;

/// <summary>
/// Translates configurations of other programs: units of systemd, supervisord.conf, circus.ini, ecosystem files of PM2 and
/// Procfiles. It does no I/O. The name of a file determines its kind, otherwise its sections do. The result is text that
/// <see cref="ConfigParser"/> accepts, and a list of every setting that is not in the text as it was.
/// </summary>
public static class ConfigImport
{
    private static readonly string[] OtherUnits =
        ["target", "timer", "path", "mount", "automount", "swap", "slice", "scope", "device"];

    private static readonly string[] Quadlets = ["container", "pod", "volume", "network", "kube", "image", "build"];

    /// <summary>Translates the files together, as one configuration; listeners are in the order of the files.</summary>
    /// <param name="files">The files, with the names for messages.</param>
    /// <param name="fullPath">Returns a file's absolute path, for expressions that name its folder; null: the name of the file.</param>
    /// <param name="host">The host on which the services are going to run; null: unknown.</param>
    public static ImportResult Translate(
        IReadOnlyList<ConfigSource> files, Func<string, string>? fullPath = null, ImportHost? host = null)
    {
        host ??= new ImportHost();
        var pathOf = fullPath ?? (path => path);
        var draft = new ImportDraft(files);
        var systemd = new SystemdImport(draft, pathOf, host);
        var supervisord = new SupervisordImport(draft, pathOf, host);
        var circus = new CircusImport(draft);
        var pm2 = new Pm2Import(draft, pathOf);
        var procfile = new ProcfileImport(draft, pathOf);
        try
        {
            var unused = files
                .Select(file => file with { Text = file.Text.TrimStart('\uFEFF') })
                .Where(file => !(file.IncludedBy is null && AddByName(file, pm2, procfile)) && !Add(file, systemd, supervisord, circus))
                .ToList();
            if (unused.Count == files.Count)
            {
                throw Unknown(unused[0], OtherUnit(unused[0])!);
            }

            unused.ForEach(file => draft.Differences.Add(file.Path, Reason.Lost(OtherUnit(file)!)));
            systemd.Translate();
            supervisord.Translate();
            circus.Translate();
            pm2.Translate();
            procfile.Translate();
            return draft.Finish();
        }
        catch (ImportException error)
        {
            return new ImportResult(null, [], [error.Diagnostic]) { IsUnknownKind = error.IsUnknownKind };
        }
    }

    /// <summary>
    /// The folders in which systemd looks for the drop-ins of a unit, by their names next to the unit's file, highest priority first.
    /// Empty if the file is not a .service or .socket unit.
    /// </summary>
    public static IEnumerable<string> DropInFolders(string fileName) =>
        IsUnit(fileName) ? UnitFolder.DropInNames(fileName).Select(name => name + ".d") : [];

    /// <summary>
    /// The name of the file next to a file that belongs to it and need not be named; null: none. The drop-ins of a unit are in folders
    /// instead.
    /// </summary>
    public static string? Companion(string fileName, string text) =>
        ProcfileImport.Reads(fileName) ? ProcfileImport.EnvironmentFile
        : Pm2Import.NeedsPackage(fileName, text) ? Pm2Import.PackageFile
        : null;

    /// <summary>The patterns of the files that a file includes, with absolute paths; empty for a unit.</summary>
    /// <param name="source">The file.</param>
    /// <param name="fullPath">Its absolute path.</param>
    /// <param name="host">The host of the import.</param>
    public static IReadOnlyList<string> Includes(ConfigSource source, string fullPath, ImportHost host) =>
        Path.GetDirectoryName(fullPath) is { Length: > 0 } folder && !IsUnit(Path.GetFileName(fullPath))
            ? ImportIncludes.Of(source, folder, host)
            : [];

    /// <summary>Adds a file whose name says that it is one of PM2 or foreman.</summary>
    private static bool AddByName(ConfigSource file, Pm2Import pm2, ProcfileImport procfile)
    {
        var name = file.Path[(file.Path.LastIndexOf('/') + 1)..];
        switch (name)
        {
            case ProcfileImport.EnvironmentFile:
                procfile.AddEnvironment(file);
                return true;
            case Pm2Import.PackageFile when file.CompanionOf is not null:
                pm2.AddPackage(file);
                return true;
            case var _ when ProcfileImport.Reads(name):
                procfile.Add(file);
                return true;
            case var _ when Pm2Import.Reads(name):
                pm2.Add(file);
                return true;
            default:
                return false;
        }
    }

    /// <summary>Adds the file to the kind that it is of; false for a unit without an equivalent.</summary>
    private static bool Add(ConfigSource file, SystemdImport systemd, SupervisordImport supervisord, CircusImport circus)
    {
        if (file.IncludedBy is { } including)
        {
            if (supervisord.Has(including))
            {
                supervisord.Add(file);
            }
            else
            {
                circus.Add(file);
            }

            return true;
        }

        var parts = file.Path.Split('/');
        var name = parts[^1];
        var folder = parts.Length > 1 ? parts[^2] : "";
        if (folder.EndsWith(".service.d", StringComparison.Ordinal)
            || folder.EndsWith(".socket.d", StringComparison.Ordinal)
            || folder is "service.d" or "socket.d")
        {
            systemd.Add(file.DropInOf ?? folder[..^".d".Length], file, isDropIn: true);
            return true;
        }

        if (IsUnit(name))
        {
            systemd.Add(name, file, isDropIn: false);
            return true;
        }

        if (OtherUnit(file) is not null)
        {
            return false;
        }

        AddBySections(name, file, systemd, supervisord, circus);
        return true;
    }

    private static void AddBySections(
        string name, ConfigSource file, SystemdImport systemd, SupervisordImport supervisord, CircusImport circus)
    {
        var sections = Headlines(file.Text).ToList();
        var split = sections.ConvertAll(SourceSection.Split);
        if (split.Exists(s => s is
            (Kind: "supervisord" or "supervisorctl" or "unix_http_server" or "inet_http_server", Label: null)
            or (Kind: "program" or "fcgi-program" or "group" or "eventlistener", Label: not null)))
        {
            supervisord.Add(file);
        }
        else if (split.Exists(s => s is (Kind: "circus", Label: null) or (Kind: "watcher" or "socket" or "env", Label: not null)))
        {
            circus.Add(file);
        }
        else if (sections.Exists(s => s is "Unit" or "Service" or "Socket" or "Install"))
        {
            if (name.EndsWith(".conf", StringComparison.Ordinal))
            {
                throw Unknown(
                    file, "the folder of a drop-in names its unit: give it as NAME.service.d/FILE.conf or NAME.socket.d/FILE.conf");
            }

            var type = sections.Contains("Socket") ? "socket" : "service";
            systemd.Add($"{(name.Length > 0 ? name : "unit")}.{type}", file, isDropIn: false);
        }
        else
        {
            throw Unknown(
                file,
                "unknown kind of file: expected a .socket or .service unit of systemd, supervisord.conf, circus.ini, "
                + "an ecosystem file of PM2 (.js, .cjs, .mjs, .json, .yaml) or a Procfile");
        }
    }

    private static bool IsUnit(string name) =>
        name.Length > ".service".Length && name.EndsWith(".service", StringComparison.Ordinal)
        || name.Length > ".socket".Length && name.EndsWith(".socket", StringComparison.Ordinal);

    /// <summary>Why a unit of another type has no equivalent; null for other files.</summary>
    private static string? OtherUnit(ConfigSource file)
    {
        var type = file.Path[(file.Path.LastIndexOf('.') + 1)..];
        var sections = OtherUnits.Contains(type) || Quadlets.Contains(type) ? Headlines(file.Text).ToList() : [];
        if (Quadlets.Contains(type) && sections.Exists(s => s.Equals(type, StringComparison.OrdinalIgnoreCase)))
        {
            return "a quadlet is an input of podman's generator: import the .service that it makes "
                + "(/usr/lib/systemd/system-generators/podman-system-generator --dryrun prints it)";
        }

        var isUnit = sections.Exists(s => s == "Unit" || s.Equals(type, StringComparison.OrdinalIgnoreCase));
        return OtherUnits.Contains(type) && isUnit
            ? $"a .{type} unit has no equivalent in listend: import .service and .socket units"
            : null;
    }

    private static ImportException Unknown(ConfigSource file, string message) =>
        new(file.Path, 0, message) { IsUnknownKind = true };

    private static IEnumerable<string> Headlines(string text) =>
        from line in text.Split('\n')
        let trimmed = line.Trim()
        where trimmed.StartsWith('[') && trimmed.IndexOf(']', StringComparison.Ordinal) > 1
        select trimmed[1..trimmed.IndexOf(']', StringComparison.Ordinal)];
}
