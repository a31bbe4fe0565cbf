using System.Text.Json;
using System.Text.RegularExpressions;

namespace Supervisor.Architecture;

/// <summary>What the pages list is what there is.</summary>
public partial class DocumentationTests
{
    [Fact]
    public void Each_resource_of_the_control_api_is_documented()
    {
        // Control.Tests compares this file with the daemon's table of routes.
        var described = File.ReadAllText(Path.Combine(Repository.Root(), "docs/reference/openapi.json"));
        using var document = JsonDocument.Parse(described);
        var routes = document.RootElement.GetProperty("paths").EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject().Select(method => $"| `{method.Name.ToUpperInvariant()} {path.Name}` |"))
            .ToArray();
        Assert.True(routes.Length > 15);
        Assert.Equal([], routes.Except(Rows()));
        Assert.Equal([], Rows().Where(row => row.Contains(" /", StringComparison.Ordinal)).Except(routes));
    }

    [Fact]
    public void Each_kind_of_event_is_documented()
    {
        var kinds = Sources("src/Supervisor.Daemon").Concat(Sources("src/Supervisor.Core"))
            .SelectMany(text => Kind().Matches(text)).Select(match => match.Groups[1].Value).Distinct().ToArray();
        Assert.True(kinds.Length > 30);
        var page = Page();
        Assert.Equal([], kinds.Where(kind => !page.Contains($"`{kind}`", StringComparison.Ordinal)));
    }

    private static string Page() => File.ReadAllText(Path.Combine(Repository.Root(), "docs/reference/control-api.md"));

    private static IEnumerable<string> Rows() => Row().Matches(Page()).Select(match => match.Value);

    private static IEnumerable<string> Sources(string folder) => Repository.Sources(folder).Select(File.ReadAllText);

    [GeneratedRegex("""^\| `[A-Z]+ /[^`]*` \|""", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("\"((?:daemon|listener|service|worker|rollout|hook|events|reload)(?:ed|-[a-z-]*[a-z]))\"")]
    private static partial Regex Kind();
}
