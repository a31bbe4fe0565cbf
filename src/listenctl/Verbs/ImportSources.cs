using Supervisor.Config.Diagnostics;
using Supervisor.Config.Import;
using Supervisor.Control;
using Supervisor.Linux.Paths;
using Supervisor.Listenctl.Client;

namespace Supervisor.Listenctl.Verbs;

/// <summary>
/// Reads the files of an import: those that the user named, the drop-ins next to units, the files that a configuration includes, the
/// variables next to a Procfile, and the package next to a script.
/// </summary>
internal static class ImportSources
{
    private const int MaxBytes = 16 << 20;

    /// <summary>The files in the order of the names; a unit's drop-ins and the files that a file includes follow it.</summary>
    public static IEnumerable<ConfigSource> Read(IReadOnlyCollection<string> paths, ImportHost host)
    {
        var seen = paths.Where(path => path.Length > 0).Select(Path.GetFullPath).ToHashSet();
        foreach (var path in paths)
        {
            var source = ReadUnit(path);
            yield return source with { HasIncludes = true };
            var patterns = ConfigImport.Includes(source, Path.GetFullPath(path), host);
            foreach (var file in patterns.SelectMany(ImportPatterns.Files).Where(seen.Add))
            {
                yield return ReadFile(file, file) with { IncludedBy = path };
            }

            if (ConfigImport.Companion(Path.GetFileName(path), source.Text) is { } name)
            {
                var companion = Path.Combine(Path.GetDirectoryName(path) ?? "", name);
                if (File.Exists(companion))
                {
                    yield return ReadFile(companion, companion) with { CompanionOf = path };
                }

                continue;
            }

            foreach (var (dropIn, unit) in DropIns(path))
            {
                yield return ReadFile(dropIn, dropIn) with { DropInOf = unit };
            }
        }
    }

    /// <summary>Reads a file. The given name decides what it is, also if it is a symbolic link or the instance of a template.</summary>
    private static ConfigSource ReadUnit(string path) =>
        ReadFile(path, !File.Exists(path) && Template(path) is { } template && File.Exists(template) ? template : path);

    /// <summary>
    /// The drop-ins next to a file and, if it is a symbolic link, next to the files that it leads to: systemd looks for those of every
    /// name of a unit. Each with its unit if the name of its folder does not say it.
    /// </summary>
    private static IEnumerable<(string Path, string? Unit)> DropIns(string path)
    {
        var unit = Path.GetFileName(path);
        string[] places = [path, .. LinkTargets(path)];
        var own = ConfigImport.DropInFolders(unit).ToArray();
        var folders = own.Select(folder => (folder, Unit: (string?)null)).Concat(places.Skip(1)
            .SelectMany(place => ConfigImport.DropInFolders(Path.GetFileName(place))).Distinct()
            .Except(own).Select(folder => (folder, Unit: (string?)unit)));
        return places.Select(place => Path.GetDirectoryName(place) ?? "").Distinct()
            .SelectMany(_ => folders, (place, folder) => (Path: Path.Combine(place, folder.folder), folder.Unit))
            .Where(folder => Directory.Exists(folder.Path))
            .SelectMany(
                folder => Directory.EnumerateFiles(folder.Path, "*.conf").Order(StringComparer.Ordinal),
                (folder, file) => (file, folder.Unit));
    }

    /// <summary>The files that a symbolic link leads to, the next one first; empty if it is none.</summary>
    private static List<string> LinkTargets(string path)
    {
        const int most = 40;
        var targets = new List<string>();
        try
        {
            for (var at = path; targets.Count < most && new FileInfo(at).LinkTarget is { } target;)
            {
                at = Path.Combine(Path.GetDirectoryName(at) ?? "", target);
                targets.Add(at);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // The file itself is reported when it is read.
        }

        return targets;
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
        // It takes no lock, so a file that another program has locked can be read.
        using var stream = GivenFile.OpenToRead(file);
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
