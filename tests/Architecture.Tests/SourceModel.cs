using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Supervisor.Architecture;

/// <summary>
/// The sources under src, compiled by Roslyn into one model. Unlike the compiled assemblies it also knows who uses a
/// constant, because the compiler copies a constant's value and drops the reference.
/// </summary>
internal sealed class SourceModel
{
    private const string ImplicitUsings =
        "global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq;"
        + "global using System.Net.Http; global using System.Threading; global using System.Threading.Tasks;"
        + "global using Printable = Supervisor.Core.Printable;";

    private readonly CSharpCompilation _compilation;

    private SourceModel(CSharpCompilation compilation) => _compilation = compilation;

    /// <summary>The model of all projects under src, made once for all tests.</summary>
    public static Lazy<SourceModel> OfSources { get; } = new(Compile);

    /// <summary>The syntax trees of the projects' own files.</summary>
    public IEnumerable<SyntaxTree> Trees => _compilation.SyntaxTrees.Where(tree => tree.FilePath.Length > 0);

    /// <summary>Each use of a namespace of ours by another one, with an example: "File.cs uses Type.Member".</summary>
    public Dictionary<(string From, string To), string> NamespaceEdges { get; private set; } = [];

    /// <summary>The namespaces that the sources declare.</summary>
    public SortedSet<string> Namespaces() => new(
        Trees.SelectMany(tree => tree.GetRoot().DescendantNodes().OfType<BaseNamespaceDeclarationSyntax>())
            .Select(scope => scope.Name.ToString()),
        StringComparer.Ordinal);

    private IEnumerable<((string From, string To) Edge, string Example)> EdgesOf(SyntaxTree tree)
    {
        var semantics = _compilation.GetSemanticModel(tree);
        return
            from scope in tree.GetRoot().DescendantNodes().OfType<BaseNamespaceDeclarationSyntax>()
            let source = scope.Name.ToString()
            from name in scope.DescendantNodes().OfType<SimpleNameSyntax>()
            let symbol = semantics.GetSymbolInfo(name).Symbol
            where symbol is not null
            let target = NamespaceOf(symbol)
            where target is not null && target != source
            select ((source, target), $"{Path.GetFileName(tree.FilePath)} uses {symbol.ToDisplayString()}");
    }

    private static string? NamespaceOf(ISymbol symbol)
    {
        var definition = symbol is IMethodSymbol { ReducedFrom: { } extension } ? extension : symbol.OriginalDefinition;
        return definition is not INamespaceSymbol && definition.ContainingType is not { IsTupleType: true }
            && definition.Locations.Any(location => location.IsInSource)
            && definition.ContainingNamespace is { IsGlobalNamespace: false } space
                ? space.ToDisplayString()
                : null;
    }

    private static SourceModel Compile()
    {
        var syntax = CSharpParseOptions.Default.WithLanguageVersion(LanguageVersion.Latest);
        var trees = Repository.Sources("src").Select(file => CSharpSyntaxTree.ParseText(File.ReadAllText(file), syntax, file))
            .Prepend(CSharpSyntaxTree.ParseText(ImplicitUsings, syntax));
        var own = Directory.GetDirectories(Path.Combine(Repository.Root(), "src"))
            .Select(folder => Path.GetFileName(folder) + ".dll").ToHashSet(StringComparer.Ordinal);
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(file => !own.Contains(Path.GetFileName(file))).Select(file => MetadataReference.CreateFromFile(file));
        var options = new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true);
        var model = new SourceModel(CSharpCompilation.Create("src", trees, references, options));
        model.NamespaceEdges = model.Trees.AsParallel().SelectMany(model.EdgesOf)
            .GroupBy(use => use.Edge).ToDictionary(uses => uses.Key, uses => uses.Select(use => use.Example).Min(StringComparer.Ordinal)!);
        return model;
    }
}
