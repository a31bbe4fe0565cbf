using System.Text.RegularExpressions;

namespace Supervisor.Core.Tests.Architecture;

/// <summary>What the pages list is what there is.</summary>
public partial class DocumentationTests
{
    [Fact]
    public void Each_resource_of_the_control_api_is_documented()
    {
        var routes = Sources("src/Supervisor.Daemon/Control").SelectMany(text => Route().Matches(text))
            .Select(match => $"| `{(match.Groups[1].Value == "Post" ? "POST" : "GET")} {match.Groups[2].Value}` |").Distinct().ToArray();
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

    private static IEnumerable<string> Sources(string folder) => Directory
        .EnumerateFiles(Path.Combine(Repository.Root(), folder), "*.cs", SearchOption.AllDirectories)
        .Where(file => !file.Contains("/obj/", StringComparison.Ordinal)).Select(File.ReadAllText);

    [GeneratedRegex("Map(Get|Post|Document)\\((?:application, )?\"([^\"]+)\"")]
    private static partial Regex Route();

    [GeneratedRegex("""^\| `[A-Z]+ /[^`]*` \|""", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("\"((?:daemon|listener|service|worker|rollout|hook|events|reload)(?:ed|-[a-z-]*[a-z]))\"")]
    private static partial Regex Kind();
}
