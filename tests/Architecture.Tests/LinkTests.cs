using System.Text.RegularExpressions;

namespace Supervisor.Architecture;

/// <summary>Each relative link of the Markdown pages leads to a file, and to a heading of it.</summary>
public partial class LinkTests
{
    [Fact]
    public void Each_link_leads_to_a_file_and_a_heading()
    {
        var broken = Pages().SelectMany(page => Link().Matches(Fence().Replace(File.ReadAllText(page), ""))
            .Select(match => match.Groups[1].Value)
            .Where(link => !link.Contains("://", StringComparison.Ordinal) && !Exists(page, link))
            .Select(link => $"{Path.GetRelativePath(Repository.Root(), page)}: {link}"));
        Assert.Equal([], broken);
    }

    private static IEnumerable<string> Pages() => Directory.EnumerateFiles(Repository.Root(), "*.md")
        .Concat(Directory.EnumerateFiles(Path.Combine(Repository.Root(), "docs"), "*.md", SearchOption.AllDirectories));

    private static bool Exists(string page, string link)
    {
        var parts = link.Split('#', 2);
        var target = parts[0].Length == 0 ? page : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(page)!, parts[0]));
        return File.Exists(target) && (parts.Length == 1
            || Heading().Matches(File.ReadAllText(target)).Any(heading => Anchor(heading.Groups[1].Value) == parts[1]));
    }

    /// <summary>The anchor that forges give a heading.</summary>
    private static string Anchor(string heading) => NotInAnchors().Replace(heading.Trim().ToLowerInvariant(), "").Replace(' ', '-');

    [GeneratedRegex("""\]\(([^)\s]+)\)""")]
    private static partial Regex Link();

    [GeneratedRegex("""^```.*?^```""", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();

    [GeneratedRegex("^#+ (.*)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NotInAnchors();
}
