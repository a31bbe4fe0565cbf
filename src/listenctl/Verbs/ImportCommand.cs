using System.CommandLine;
using System.Text;
using System.Text.Json;
using Supervisor.Config.Diagnostics;
using Supervisor.Config.Import;
using Supervisor.Control;
using Supervisor.Listenctl.Client;
using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Verbs;

/// <summary><c>import FILE...</c>: translates other programs' configurations to standard output. Needs no daemon.</summary>
internal sealed class ImportCommand : Verb
{
    private readonly Argument<string[]> files = new("FILE")
    {
        Description = "A .socket or .service unit, a drop-in, supervisord.conf or circus.ini; several files give one configuration. "
            + "NAME@INSTANCE.service is read from its template",
        Arity = ArgumentArity.OneOrMore,
    };

    public ImportCommand(GlobalOptions options, CommandContext context)
        : base(
            "import", "Translate systemd units, supervisord.conf or circus.ini into a listend configuration (needs no daemon)", "FILE...",
            options, context) => Arguments.Add(files);

    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, GlobalOptions options)
    {
        var result = ConfigImport.Translate([.. parsed.GetRequiredValue(files).Select(Read)], Path.GetFullPath);
        if (result.Toml is not { } toml)
        {
            throw new ControlException(
                string.Join('\n', result.Errors.Select(error => Printable.Line(error.ToString()))),
                result.IsUnknownKind ? ExitCode.Usage : ExitCode.Failed);
        }

        if (parsed.GetValue(options.Json))
        {
            var unsupported = result.Unsupported
                .Select(u => new UnsupportedSettingDocument(u.File, u.Line, u.Section, u.Setting, u.Value, u.Reason));
            var document = new ImportDocument(toml, [.. unsupported]);
            Json.Write(Context.Output, JsonSerializer.SerializeToUtf8Bytes(document, ControlJson.Default.ImportDocument));
            return ExitCode.Done;
        }

        Context.Output.Write(Encoding.UTF8.GetBytes(toml));
        Context.Output.Flush();
        if (result.Unsupported.Length is > 0 and var count)
        {
            Context.Error.WriteLine(
                $"listenctl: {count} setting{(count == 1 ? " has" : "s have")} no equivalent: see \"no equivalent\" in the comments");
        }

        return ExitCode.Done;
    }

    private static ConfigSource Read(string path)
    {
        var file = path;
        if (!File.Exists(file) && Template(path) is { } template && File.Exists(template))
        {
            file = template;
        }

        try
        {
            // The given name decides, also if it is a symbolic link.
            return new ConfigSource(path, File.ReadAllText(file));
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ControlException($"{path}: no such file", ExitCode.Failed);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ControlException(
                Directory.Exists(path) ? $"{path}: is a folder; name the files in it" : $"{path}: cannot read: {error.Message}",
                ExitCode.Failed);
        }
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
