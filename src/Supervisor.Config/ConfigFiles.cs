using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Supervisor.Config.Diagnostics;
using Supervisor.Core;

namespace Supervisor.Config;

/// <summary>Opens a configuration file. Adds errors of its own if an exception cannot express them.</summary>
public delegate Stream ConfigFileOpener(string path, ICollection<ConfigDiagnostic> errors);

/// <summary>Reads the configuration files: the main file, then <c>conf.d/*.toml</c> next to it in ordinal name order.</summary>
public static class ConfigFiles
{
    /// <summary>The largest file that is read, in bytes: a configuration of ten thousand listeners has about 4 MiB.</summary>
    public const int MaxBytes = 16 * 1024 * 1024;

    private const string DropInFolder = "conf.d";

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>
    /// Reads <paramref name="mainPath"/> and its drop-ins. Never throws: a file that cannot be read is an error that
    /// names the file. A missing folder conf.d is not an error; a conf.d that is not a folder is one.
    /// </summary>
    /// <param name="mainPath">The main file.</param>
    /// <param name="open">Opens a file and may add errors of its own. An exception is reported as a failed open. By default a plain
    /// open.</param>
    public static ConfigFilesResult Read(string mainPath, ConfigFileOpener? open = null)
    {
        open ??= static (path, _) => new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        var sources = ImmutableArray.CreateBuilder<ConfigSource>();
        var errors = ImmutableArray.CreateBuilder<ConfigDiagnostic>();

        // SHA-256 would load OpenSSL at each start of the daemon.
        var checksum = new Checksum();
        var length = 0L;
        IReadOnlyList<string> paths = [mainPath, .. DropIns(mainPath, errors)];
        foreach (var path in paths)
        {
            length += ReadFile(path, open, sources, errors, ref checksum);
        }

        return new ConfigFilesResult(sources.ToImmutable(), errors.ToImmutable())
        {
            Stamp = sources.Count == paths.Count
                ? new ConfigStamp(checksum.Value.ToString("x8", CultureInfo.InvariantCulture), length)
                : null,
        };
    }

    /// <summary>The files that <see cref="Read"/> reads, as far as their folder can be listed.</summary>
    public static IReadOnlyList<string> Paths(string mainPath) =>
        [mainPath, .. DropIns(mainPath, ImmutableArray.CreateBuilder<ConfigDiagnostic>())];

    private static List<string> DropIns(string mainPath, ImmutableArray<ConfigDiagnostic>.Builder errors)
    {
        var folder = Path.Combine(Path.GetDirectoryName(mainPath) ?? "", DropInFolder);
        if (folder.Contains('\0', StringComparison.Ordinal))
        {
            return [];
        }

        try
        {
            // Editors and package managers leave hidden files. A shell's *.toml does not match them either.
            var paths = Directory.GetFileSystemEntries(folder)
                .Where(path => path.EndsWith(".toml", StringComparison.Ordinal) && !Path.GetFileName(path).StartsWith('.'))
                .ToList();
            paths.Sort((a, b) => string.CompareOrdinal(Path.GetFileName(a), Path.GetFileName(b)));
            return paths;
        }
        catch (DirectoryNotFoundException)
        {
            // ENOENT and ENOTDIR.
            var found = new FileInfo(folder);
            if (found.LinkTarget is { } target && found.ResolveLinkTarget(returnFinalTarget: true) is not { Exists: true })
            {
                errors.Add(new ConfigDiagnostic(
                    folder, 0, 0, null, $"cannot be read: ENOENT, it is a symlink to \"{target}\", which does not exist",
                    "create that folder, or remove the symlink"));
            }
            else if (found.Exists)
            {
                errors.Add(new ConfigDiagnostic(
                    folder, 0, 0, null, "cannot be read: ENOTDIR, it is not a folder",
                    $"move the settings to a file such as {DropInFolder}/10-more.toml, or rename it"));
            }

            return [];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            errors.Add(Unreadable(folder, error));
            return [];
        }
    }

    private static int ReadFile(
        string path,
        ConfigFileOpener open,
        ImmutableArray<ConfigSource>.Builder sources,
        ImmutableArray<ConfigDiagnostic>.Builder errors,
        ref Checksum checksum)
    {
        try
        {
            using var stream = open(path, errors);
            using var content = new MemoryStream();
            var buffer = new byte[16 * 1024];
            int read;
            while (content.Length <= MaxBytes && (read = stream.Read(buffer)) > 0)
            {
                content.Write(buffer, 0, read);
            }

            if (content.Length > MaxBytes)
            {
                errors.Add(new ConfigDiagnostic(
                    path, 0, 0, null, $"the file is larger than {MaxBytes} bytes",
                    "split it into files in conf.d, or name the right file"));
                return 0;
            }

            var bytes = content.GetBuffer().AsSpan(0, (int)content.Length);
            sources.Add(new ConfigSource(path, StrictUtf8.GetString(bytes)));
            checksum.Add(bytes);
            return bytes.Length;
        }
        catch (DecoderFallbackException error)
        {
            errors.Add(new ConfigDiagnostic(
                path, 0, 0, null, $"the file is not UTF-8: byte {error.Index} is not part of a character", "save it as UTF-8"));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            errors.Add(Unreadable(path, error));
        }

        return 0;
    }

    private static ConfigDiagnostic Unreadable(string path, Exception error)
    {
        // The runtime keeps a raw errno in HResult.
        const int loop = 40;
        var (message, remedy) = error switch
        {
            _ when Directory.Exists(path) && error is UnauthorizedAccessException && IsListable(path) =>
                ("cannot be read: EISDIR, it is a folder",
                    Path.GetFileName(Path.GetDirectoryName(path)) == DropInFolder
                        ? $"move its files to {DropInFolder}, or rename it" : "name the file, such as listend.toml in it"),
            { HResult: loop } => ("cannot be read: ELOOP, a symlink leads back to itself", "correct or remove the symlink"),
            FileNotFoundException => ("cannot be read: ENOENT, there is no such file", "create it, or name another with --config"),
            DirectoryNotFoundException => ("cannot be read: ENOENT, its folder does not exist", "create it, or name another with --config"),
            UnauthorizedAccessException => ("cannot be read: EACCES, permission denied", "give the daemon's user read permission"),
            PathTooLongException => ("cannot be read: ENAMETOOLONG, the path is too long", "move it to a shorter path"),
            ArgumentException => ("cannot be read: the path is empty or contains a NUL character", "name the file with --config"),
            _ => ($"cannot be read: {error.Message}", "check the file and its file system"),
        };
        return new ConfigDiagnostic(path, 0, 0, null, message, remedy);
    }

    /// <summary>Whether a folder can be listed. If not, the open failed because of its permissions, not because it is a folder.</summary>
    private static bool IsListable(string folder)
    {
        try
        {
            _ = Directory.EnumerateFileSystemEntries(folder).Any();
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
