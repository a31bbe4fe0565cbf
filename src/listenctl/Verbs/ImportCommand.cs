using System.CommandLine;
using System.Text;
using System.Text.Json;
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
        Description = "A .socket or .service unit, a drop-in, supervisord.conf, circus.ini, an ecosystem file of PM2 or a "
            + "Procfile; several files give one configuration. "
            + "NAME@INSTANCE.service needs only the file of its template. "
            + "The drop-ins in NAME.service.d next to a unit, and included files, need not be named",
        Arity = ArgumentArity.OneOrMore,
    };

    public ImportCommand(GlobalOptions options, CommandContext context)
        : base(
            "import",
            "Translate systemd units, supervisord.conf, circus.ini, PM2's ecosystem file or a Procfile to TOML (needs no daemon)",
            "FILE...",
            options, context) => Arguments.Add(files);

    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, GlobalOptions options)
    {
        var paths = parsed.GetRequiredValue(files);
        if (Array.Find(paths, path => path is ['-', _, ..]) is { } option)
        {
            throw new ControlException($"unknown option {option}; write a file of that name as ./{option}", ExitCode.Usage);
        }

        var host = ImportHostFacts.Read();
        var result = ConfigImport.Translate([.. ImportSources.Read(paths, host)], Path.GetFullPath, host);
        if (result.Toml is not { } toml)
        {
            throw new ControlException(
                string.Join('\n', result.Errors.Select(error => Printable.Line(error.ToString()))),
                result.IsUnknownKind ? ExitCode.Usage : ExitCode.Failed);
        }

        if (parsed.GetValue(options.Json))
        {
            Json.Write(Context.Output, JsonSerializer.SerializeToUtf8Bytes(Document(toml, result), ControlJson.Default.ImportDocument));
            return ExitCode.Done;
        }

        Context.Output.Write(Encoding.UTF8.GetBytes(toml));
        Context.Output.Flush();
        if (result.Differences.Count(d => d.Kind == DifferenceKind.Lost) is > 0 and var count)
        {
            Context.Error.WriteLine(
                $"listenctl: {count} {(count == 1 ? "setting is" : "settings are")} lost: see \"lost\" in the comments");
        }

        return ExitCode.Done;
    }

    private static ImportDocument Document(string toml, ImportResult result)
    {
        IReadOnlyList<ImportDifferenceDocument> Of(DifferenceKind kind) =>
        [
            .. result.Differences
                .Where(d => d.Kind == kind)
                .Select(d => new ImportDifferenceDocument(d.File, d.Line, d.Section, d.Setting, d.Value, d.Reason)),
        ];

        return new ImportDocument(toml, Of(DifferenceKind.Lost), Of(DifferenceKind.Changed), Of(DifferenceKind.NotNeeded));
    }
}
