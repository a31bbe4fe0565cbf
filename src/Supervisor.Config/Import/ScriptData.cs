using Acornima;
using Acornima.Ast;
using Supervisor.Config.Diagnostics;

namespace Supervisor.Config.Import;

/// <summary>
/// Reads what a configuration in JavaScript exports, or a JSON file. It is evaluated here, without Node: values, operators, templates,
/// constants and small functions. The file cannot reach the host, and its work is bounded. What is more than that is an error that
/// names the place and how Node prints the result.
/// </summary>
internal sealed class ScriptData
{
    private readonly string _file;
    private readonly ScriptScope _scope = new(null);
    private readonly DataMap _module = new();
    private readonly string _folder;
    private readonly ScriptInterpreter _interpreter;
    private readonly ConfigSource? _package;

    private ScriptData(string file, string fullPath, ConfigSource? package)
    {
        _package = package;
        (_file, _folder) = (file, fullPath.LastIndexOf('/') is var slash and > 0 ? fullPath[..slash] : "/");
        _interpreter = new ScriptInterpreter(file, Remedy, Module);
        Define("__filename", fullPath);
        Define("__dirname", _folder);
        Define("module", _module);
        _module.Set("exports", new DataNode(1, new DataMap()));
        _scope.Set("exports", _module["exports"]!);
        Define("undefined", null);
        Define("NaN", double.NaN);
        Define("Object", ScriptBuiltins.Objects());
        foreach (var (name, function) in ScriptBuiltins.Globals())
        {
            _scope.Set(name, function);
        }

        var process = new DataMap();
        process.Set("env", new DataNode(1, new DataMap()));
        process.Set("cwd", new DataNode(1, (ScriptFunction)(_ => _folder)));
        process.Set("platform", new DataNode(1, "linux"));
        Define("process", process);
    }

    /// <summary>By which names a script asks for the package next to it.</summary>
    public static readonly string[] PackageNames = ["./package.json", "./package"];

    /// <summary>The variables of the environment that the file reads, with their lines. They count as not set.</summary>
    public IReadOnlyList<(string Name, int Line)> Variables => _interpreter.Variables;

    /// <summary>The lines on which the file asks for the number of processors.</summary>
    public IReadOnlyList<int> Processors => _interpreter.Processors;

    /// <summary>What the file exports.</summary>
    public DataNode Exported { get; private set; } = new(1, null);

    /// <param name="source">The file.</param>
    /// <param name="fullPath">Its absolute path.</param>
    /// <param name="package">package.json next to it; null: there is none, or it is not needed.</param>
    public static ScriptData Read(ConfigSource source, string fullPath, ConfigSource? package = null)
    {
        // JSON is one value. Comments and single quotes are permitted there too, as in PM2.
        var isJson = source.Path.EndsWith(".json", StringComparison.Ordinal);
        var data = new ScriptData(source.Path, fullPath, package);
        try
        {
            data.Exported = isJson
                ? data._interpreter.Of(new Parser().ParseExpression(source.Text), data._scope)
                : data.Run(Parsed(source));
            return data;
        }
        catch (ParseErrorException error)
        {
            throw new ImportException(
                source.Path, Math.Max(error.LineNumber, 1), $"it is not {(isJson ? "JSON" : "JavaScript")}: {error.Description}");
        }
        catch (InsufficientExecutionStackException)
        {
            throw new ImportException(source.Path, 1, "its expressions are nested too deeply");
        }
    }

    private static Program Parsed(ConfigSource source)
    {
        var isModule = source.Path.EndsWith(".mjs", StringComparison.Ordinal)
            || source.Text.Split('\n').Any(line => line.StartsWith("export ", StringComparison.Ordinal)
                || line.StartsWith("import ", StringComparison.Ordinal));
        return isModule ? new Parser().ParseModule(source.Text, source.Path) : new Parser().ParseScript(source.Text, source.Path);
    }

    private DataNode Run(Program program)
    {
        DataNode? exported = null;
        foreach (var statement in program.Body)
        {
            switch (statement)
            {
                case ExportDefaultDeclaration { Declaration: Expression value }:
                    exported = _interpreter.Of(value, _scope);
                    break;
                case ImportDeclaration import:
                    Import(import);
                    break;
                default:
                    _interpreter.Run(statement, _scope);
                    break;
            }
        }

        return exported ?? _module["exports"]!;
    }

    private void Import(ImportDeclaration import)
    {
        var module = Module(import.Source, import.Source.Value);
        foreach (var one in import.Specifiers)
        {
            _scope.Set(one.Local.Name, one is ImportSpecifier { Imported: Identifier name }
                ? module[name.Name] ?? throw _interpreter.Unknown(one)
                : new DataNode(ScriptInterpreter.LineOf(one), module));
        }
    }

    private DataMap Module(Node at, string name) => ScriptBuiltins.Module(name, _folder) ?? Package(name) ?? throw new ImportException(
        _file, ScriptInterpreter.LineOf(at), $"it needs the module \"{name}\", which the import does not run", Remedy);

    private DataMap? Package(string name) =>
        _package is { } package && PackageNames.Contains(name) ? Read(package, $"{_folder}/{package.Path}").Exported.Members : null;

    private void Define(string name, object? value) => _scope.Set(name, new DataNode(1, value));

    private string Remedy =>
        $"import what Node prints: node -p 'JSON.stringify(require(\"./{Path.GetFileName(_file)}\"))' > ecosystem.json";
}
