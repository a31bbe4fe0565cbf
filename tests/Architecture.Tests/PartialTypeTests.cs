using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Supervisor.Architecture;

/// <summary>A type that is too large is not made smaller by a second file.</summary>
public class PartialTypeTests
{
    [Fact]
    public void A_partial_type_is_written_in_one_file_and_completed_by_a_generator()
    {
        var files =
            from tree in SourceModel.OfSources.Value.Trees
            from type in tree.GetRoot().DescendantNodes().OfType<TypeDeclarationSyntax>()
            where type.Modifiers.Any(SyntaxKind.PartialKeyword)
            let space = type.FirstAncestorOrSelf<BaseNamespaceDeclarationSyntax>()?.Name
            group Path.GetFileName(tree.FilePath) by $"{space}.{type.Identifier.Text}";
        Assert.Equal(
            [],
            from type in files
            where type.Distinct().Skip(1).Any()
            orderby type.Key
            select $"{type.Key}: {string.Join(", ", type)}");
    }
}
