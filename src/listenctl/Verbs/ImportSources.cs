using Supervisor.Config.Diagnostics;
using Supervisor.Config.Import;
using Supervisor.Control;
using Supervisor.Listenctl.Client;

namespace Supervisor.Listenctl.Verbs;

/// <summary>
/// Reads the files of an import: those that the user named, the drop-ins next to units, and the variables next to a Procfile.
/// </summary>
internal static class ImportSources
{
    private const int MaxBytes = 16 << 20;

    /// <summary>The files in the order of the names; a unit's drop-ins follow it.</summary>
    public static IEnumerable<ConfigSource> Read(IEnumerable<string> paths)
    {
        foreach (var path in paths)
        {
            yield return ReadUnit(path);
            foreach (var dropIn in DropIns(path))
            {
                yield return ReadFile(dropIn, dropIn);
            }
        }
    }

    /// <summary>Reads a file. The given name decides what it is, also if it is a symbolic link or the instance of a template.</summary>
    private static ConfigSource ReadUnit(string path) =>
        ReadFile(path, !File.Exists(path) && Template(path) is { } template && File.Exists(template) ? template : path);

    private static IEnumerable<string> DropIns(string path)
    {
        var folder = Path.GetDirectoryName(path) ?? "";
        var companion = ConfigImport.Companion(Path.GetFileName(path)) is { } name ? Path.Combine(folder, name) : null;
        return companion is not null ? File.Exists(companion) ? [companion] : [] : ConfigImport.DropInFolders(Path.GetFileName(path))
            .Select(name => Path.Combine(folder, name))
            .Where(Directory.Exists)
            .SelectMany(name => Directory.EnumerateFiles(name, "*.conf").Order(StringComparer.Ordinal));
    }

    private static ConfigSource ReadFile(string path, string file)
    {
        try
        {
            return ImportText.Decode(path, Content(path, file), out var error)
                ?? throw new ControlException(Printable.Line(error!.ToString()), ExitCode.Failed);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException or ArgumentException)
        {
            throw new ControlException($"{(path.Length > 0 ? path : "\"\"")}: no such file", ExitCode.Failed);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ControlException(
                Directory.Exists(path) ? $"{path}: is a folder; name the files in it" : $"{path}: cannot read: {error.Message}",
                ExitCode.Failed);
        }
    }

    private static byte[] Content(string path, string file)
    {
        // With FileShare.ReadWrite .NET takes no lock, so a file that another program has locked can be read.
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var content = new MemoryStream();
        var buffer = new byte[64 << 10];
        int read;
        while ((read = stream.Read(buffer)) > 0)
        {
            content.Write(buffer, 0, read);
            if (content.Length > MaxBytes)
            {
                throw new ControlException($"{path}: is larger than {MaxBytes >> 20} MiB: it is not a configuration file", ExitCode.Failed);
            }
        }

        return content.ToArray();
    }

    /// <summary>NAME@.service for NAME@INSTANCE.service; null for another name.</summary>
    private static string? Template(string path)
    {
        var name = Path.GetFileName(path);
        var at = name.IndexOf('@', StringComparison.Ordinal);
        var dot = name.LastIndexOf('.');
        return at > 0 && dot > at ? Path.Combine(Path.GetDirectoryName(path) ?? "", name[..(at + 1)] + name[dot..]) : null;
    }
}
