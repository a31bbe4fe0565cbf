using Supervisor.Config.Diagnostics;

namespace Supervisor.Config.Import;

/// <summary>
/// Translates configurations of other programs: units of systemd, supervisord.conf and circus.ini. It does no I/O. The name
/// of a file determines its kind, otherwise its sections do. The result is text that <see cref="ConfigParser"/> accepts, and
/// a list of every setting that is not in the text.
/// </summary>
public static class ConfigImport
{
    private static readonly string[] OtherUnits =
        ["target", "timer", "path", "mount", "automount", "swap", "slice", "scope", "device"];

    /// <summary>Translates the files together, as one configuration; listeners are in the order of the files.</summary>
    /// <param name="files">The files, with the names for messages.</param>
    /// <param name="fullPath">Returns a file's absolute path, for expressions that name its folder; null: the name of the file.</param>
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

        draft.Remarks.Add("no_new_privileges is true by default. A worker that runs set-user-id programs needs no_new_privileges = false.");
        return draft.Finish(files);
    }

    private static void Add(ConfigSource file, SystemdImport systemd, SupervisordImport supervisord, CircusImport circus)
    {
        var parts = file.Path.Split('/');
        var name = parts[^1];
        var folder = parts.Length > 1 ? parts[^2] : "";
        var type = name[(name.LastIndexOf('.') + 1)..];
        var sections = Headlines(file.Text).ToList();
        if (folder.EndsWith(".service.d", StringComparison.Ordinal)
            || folder.EndsWith(".socket.d", StringComparison.Ordinal)
            || folder is "service.d" or "socket.d")
        {
            systemd.Add(folder[..^".d".Length], file, isDropIn: true);
        }
        else if (type is "service" or "socket" && name.Length > type.Length + 1)
        {
            systemd.Add(name, file, isDropIn: false);
        }
        else if (OtherUnits.Contains(type) && sections.Contains("Unit"))
        {
            throw Unknown(file, $"a .{type} unit has no equivalent in listend: import .service and .socket units");
        }
        else if (sections.Exists(s => s is "supervisord" or "supervisorctl" or "unix_http_server" or "inet_http_server"
            || Begins(s, "program:", "fcgi-program:", "group:", "eventlistener:")))
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
                throw Unknown(
                    file, "the folder of a drop-in names its unit: give it as NAME.service.d/FILE.conf or NAME.socket.d/FILE.conf");
            }

            type = sections.Contains("Socket") ? "socket" : "service";
            systemd.Add($"{(name.Length > 0 ? name : "unit")}.{type}", file, isDropIn: false);
        }
        else
        {
            throw Unknown(file, "unknown kind of file: expected a .socket or .service unit of systemd, supervisord.conf or circus.ini");
        }
    }

    private static ImportException Unknown(ConfigSource file, string message) =>
        new(file.Path, 0, message) { IsUnknownKind = true };

    private static bool Begins(string section, params string[] prefixes) =>
        prefixes.Any(p => section.StartsWith(p, StringComparison.Ordinal));

    private static IEnumerable<string> Headlines(string text) =>
        from line in text.Split('\n')
        let trimmed = line.Trim()
        where trimmed.StartsWith('[') && trimmed.IndexOf(']', StringComparison.Ordinal) > 1
        select trimmed[1..trimmed.IndexOf(']', StringComparison.Ordinal)];
}
