using Supervisor.Config.Diagnostics;

namespace Supervisor.Config.Import;

/// <summary>
/// Other programs' configurations to listend's: units of systemd, supervisord.conf, circus.ini. Pure: the files have
/// been read. What a file is, its name says, else its sections. The result is text that <see cref="ConfigParser"/>
/// accepts, and a list of every setting that is not in it.
/// </summary>
public static class ConfigImport
{
    private static readonly string[] OtherUnits =
        ["target", "timer", "path", "mount", "automount", "swap", "slice", "scope", "device"];

    /// <summary>Translates the files together, as one configuration; their order is that of the listeners.</summary>
    /// <param name="files">The files, under the names that messages use.</param>
    /// <param name="fullPath">A file's absolute path, for expressions that name its folder; null: as it is named.</param>
    public static ImportResult Translate(IReadOnlyList<ConfigSource> files, Func<string, string>? fullPath = null)
    {
        var draft = new ImportDraft();
        var systemd = new SystemdImport(draft);
        var supervisord = new SupervisordImport(draft, fullPath ?? (path => path));
        var circus = new CircusImport(draft);
        try
        {
            foreach (var file in files)
            {
                Add(file, systemd, supervisord, circus);
            }

            systemd.Translate();
            supervisord.Translate();
            circus.Translate();
        }
        catch (ImportException error)
        {
            return new ImportResult(null, [], [error.Diagnostic]) { IsUnknownKind = error.IsUnknownKind };
        }

        draft.Remarks.Add("no_new_privileges is on unless a service says otherwise: a worker that runs set-user-id programs needs no_new_privileges = false.");
        return draft.Finish(files);
    }

    private static void Add(ConfigSource file, SystemdImport systemd, SupervisordImport supervisord, CircusImport circus)
    {
        var parts = file.Path.Split('/');
        var name = parts[^1];
        var folder = parts.Length > 1 ? parts[^2] : "";
        var type = name[(name.LastIndexOf('.') + 1)..];
        var sections = Headlines(file.Text).ToList();
        if (folder.EndsWith(".service.d", StringComparison.Ordinal) || folder.EndsWith(".socket.d", StringComparison.Ordinal) || folder is "service.d" or "socket.d")
        {
            systemd.Add(folder[..^".d".Length], file, isDropIn: true);
        }
        else if (type is "service" or "socket" && name.Length > type.Length + 1)
        {
            systemd.Add(name, file, isDropIn: false);
        }
        else if (OtherUnits.Contains(type) && sections.Contains("Unit"))
        {
            throw Unknown(file, $"a .{type} unit has no equal in listend: .service and .socket units have");
        }
        else if (sections.Exists(s => s is "supervisord" or "supervisorctl" or "unix_http_server" or "inet_http_server" || Begins(s, "program:", "fcgi-program:", "group:", "eventlistener:")))
        {
            supervisord.Add(file);
        }
        else if (sections.Exists(s => s is "circus" || Begins(s, "watcher:", "socket:", "env:")))
        {
            circus.Add(file);
        }
        else if (sections.Exists(s => s is "Unit" or "Service" or "Socket" or "Install"))
        {
            if (type == "conf")
            {
                throw Unknown(file, "a drop-in belongs to a unit, which its folder names: give it as NAME.service.d/FILE.conf or NAME.socket.d/FILE.conf");
            }

            systemd.Add($"{(name.Length > 0 ? name : "unit")}.{(sections.Contains("Socket") ? "socket" : "service")}", file, isDropIn: false);
        }
        else
        {
            throw Unknown(file, "this is neither a .socket or .service unit of systemd, nor supervisord.conf, nor circus.ini");
        }
    }

    private static ImportException Unknown(ConfigSource file, string message) => new(file.Path, 0, message) { IsUnknownKind = true };

    private static bool Begins(string section, params string[] prefixes) => prefixes.Any(p => section.StartsWith(p, StringComparison.Ordinal));

    private static IEnumerable<string> Headlines(string text) =>
        from line in text.Split('\n')
        let trimmed = line.Trim()
        where trimmed.StartsWith('[') && trimmed.IndexOf(']', StringComparison.Ordinal) > 1
        select trimmed[1..trimmed.IndexOf(']', StringComparison.Ordinal)];
}
