using System.CommandLine;
using System.Text;
using System.Text.Json;
using Supervisor.Config.Diagnostics;
using Supervisor.Config.Import;
using Supervisor.Control;

namespace Supervisor.Listenctl;

/// <summary><c>import FILE...</c>: other programs' configurations as listend's, on standard output. Needs no daemon.</summary>
internal sealed class ImportCommand : Verb
{
    private readonly Argument<string[]> files = new("FILE")
    {
        Description = "A .socket or .service unit, a drop-in of one, supervisord.conf or circus.ini; several are one configuration. "
            + "NAME@INSTANCE.service is read from its template",
        Arity = ArgumentArity.OneOrMore,
    };

    public ImportCommand(GlobalOptions options, CommandContext standard)
        : base("import", "Translates systemd units, supervisord.conf or circus.ini into listend's configuration; needs no daemon", "FILE...", options, standard) => Arguments.Add(files);

    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, GlobalOptions options)
    {
        var result = ConfigImport.Translate([.. parsed.GetRequiredValue(files).Select(Read)], Path.GetFullPath);
        if (result.Toml is not { } toml)
        {
            throw new ControlException(string.Join('\n', result.Errors.Select(error => Printable.Line(error.ToString()))), result.IsUnknownKind ? ExitCode.Usage : ExitCode.Failed);
        }

        if (parsed.GetValue(options.Json))
        {
            var document = new ImportDocument(toml, [.. result.Unsupported.Select(u => new UnsupportedSettingDocument(u.File, u.Line, u.Section, u.Setting, u.Value, u.Reason))]);
            Json.Write(CommandContext.Output, JsonSerializer.SerializeToUtf8Bytes(document, ControlJson.Default.ImportDocument));
            return ExitCode.Done;
        }

        CommandContext.Output.Write(Encoding.UTF8.GetBytes(toml));
        CommandContext.Output.Flush();
        if (result.Unsupported.Length > 0)
        {
            CommandContext.Error.WriteLine($"listenctl: {result.Unsupported.Length} setting{(result.Unsupported.Length == 1 ? " has" : "s have")} no equal: see \"no equal\" in the comments");
        }

        return ExitCode.Done;
    }

    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, ControlClient client, bool json) => throw new NotSupportedException("import needs no daemon");

    private static ConfigSource Read(string path)
    {
        var file = path;
        if (!File.Exists(file) && Template(path) is { } template && File.Exists(template))
        {
            file = template;
        }

        try
        {
            // Units lie in their folders by symbolic links too; what they are called counts.
            return new ConfigSource(path, File.ReadAllText(file));
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ControlException($"there is no file {path}", ExitCode.Failed);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ControlException(
                Directory.Exists(path) ? $"{path} is a folder: name the files in it" : $"{path} cannot be read: {error.Message}", ExitCode.Failed);
        }
    }

    /// <summary>NAME@.service for NAME@INSTANCE.service; null for other names.</summary>
    private static string? Template(string path)
    {
        var name = Path.GetFileName(path);
        var at = name.IndexOf('@', StringComparison.Ordinal);
        var dot = name.LastIndexOf('.');
        return at > 0 && dot > at ? Path.Combine(Path.GetDirectoryName(path) ?? "", name[..(at + 1)] + name[dot..]) : null;
    }
}
