using System.Text.RegularExpressions;

namespace Supervisor.Architecture;

/// <summary>Each link of the Markdown pages and of the man pages leads to something that exists.</summary>
public partial class LinkTests
{
    [Fact]
    public void Each_link_leads_to_a_file_and_a_heading()
    {
        var broken = Pages().SelectMany(page => Link().Matches(Fence().Replace(File.ReadAllText(page), ""))
            .Select(match => match.Groups[1].Value)
            .Where(link => !link.Contains("://", StringComparison.Ordinal) && !Exists(page, link))
            .Select(link => $"{Path.GetRelativePath(Repository.Root(), page)}: {link}"));
        Assert.True(!broken.Any(), string.Join('\n', broken));
    }

    [Fact]
    public void Each_link_to_another_site_is_encrypted() => Assert.Equal(
        [],
        Pages().SelectMany(page => Link().Matches(Fence().Replace(File.ReadAllText(page), ""))
            .Select(match => match.Groups[1].Value)
            .Where(link => link.Contains("://", StringComparison.Ordinal) && !link.StartsWith("https://", StringComparison.Ordinal))));

    [Fact]
    public void Each_page_of_docs_is_in_the_index()
    {
        var index = File.ReadAllText(Path.Combine(Repository.Root(), "docs/README.md"));
        Assert.Equal([], Repository.Files("docs", "*.md")
            .Select(page => Path.GetRelativePath("docs", page))
            .Where(page => page != "README.md" && !index.Contains($"({page})", StringComparison.Ordinal)));
    }

    [Fact]
    public void Each_page_that_a_man_page_or_a_message_names_exists()
    {
        var texts = Repository.Files("packaging/man", "*.[158]").Concat(Repository.Files("src", "*.cs"))
            .Select(file => (file, Comment().Replace(File.ReadAllText(Path.Combine(Repository.Root(), file)), "")))
            .ToArray();
        var pages =
            from text in texts
            from Match match in PageName().Matches(text.Item2)
            where !File.Exists(Path.Combine(Repository.Root(), match.Value))
            select $"{text.file}: {match.Value}";
        var manPages =
            from text in texts
            from Match match in ManPageName().Matches(text.Item2.Replace("\\-", "-", StringComparison.Ordinal))
            where !File.Exists(Path.Combine(Repository.Root(), "packaging/man", $"{match.Groups[1].Value}.{match.Groups[2].Value}"))
            select $"{text.file}: {match.Value}";
        var missing = pages.Concat(manPages).ToArray();
        Assert.True(missing.Length == 0, string.Join('\n', missing));
    }

    private static IEnumerable<string> Pages() => Directory.EnumerateFiles(Repository.Root(), "*.md")
        .Concat(Repository.Files("docs", "*.md").Concat(Repository.Files("packaging", "*.md"))
            .Select(page => Path.Combine(Repository.Root(), page)));

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

    [GeneratedRegex(@"^\s*//.*$", RegexOptions.Multiline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"\bdocs/[a-z-]+/[a-z0-9-]+\.md\b")]
    private static partial Regex PageName();

    [GeneratedRegex(@"\b(listen(?:d|ctl)[a-z.]*)\(([1-8])\)")]
    private static partial Regex ManPageName();

    [GeneratedRegex("^#+ (.*)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NotInAnchors();
}
