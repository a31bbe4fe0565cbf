using System.Xml.Linq;

namespace Supervisor.Architecture;

/// <summary>Dependencies between namespaces point in one direction: down, in the drawing of docs/explanation/architecture.md.</summary>
public class NamespaceTests
{
    [Fact]
    public void Namespaces_have_no_cycle()
    {
        var edges = SourceModel.OfSources.Value.NamespaceEdges;
        Assert.NotEmpty(edges);
        var rest = edges.Keys.ToHashSet();

        // A namespace that uses none of the rest, or that none of the rest uses, is in no cycle.
        while (rest.RemoveWhere(edge => !rest.Any(other => other.From == edge.To) || !rest.Any(other => other.To == edge.From)) > 0)
        {
        }

        Assert.True(rest.Count == 0, string.Join('\n', rest.Order().Select(edge => $"{edge.From} -> {edge.To}: {edges[edge]}")));
    }

    [Fact]
    public void The_drawing_shows_each_namespace_and_each_arrow_points_down()
    {
        var model = SourceModel.OfSources.Value;
        var rows = Drawing();
        Assert.Equal(model.Namespaces(), rows.Keys.Order(StringComparer.Ordinal));
        var up = model.NamespaceEdges.Keys.Where(edge => rows[edge.From] >= rows[edge.To]).Order().ToArray();
        Assert.True(up.Length == 0, string.Join('\n', up.Select(edge => $"{edge.From} -> {edge.To}: {model.NamespaceEdges[edge]}")));
    }

    /// <summary>Each namespace of docs/images/namespaces.svg, with its distance from the top.</summary>
    private static Dictionary<string, double> Drawing() => XDocument
        .Load(Path.Combine(Repository.Root(), "docs/images/namespaces.svg")).Descendants()
        .Where(element => element.Attribute("data-namespace") is not null)
        .ToDictionary(
            element => element.Attribute("data-namespace")!.Value, element => (double)element.Attribute("y")!, StringComparer.Ordinal);
}
