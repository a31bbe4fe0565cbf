using System.Xml.Linq;

namespace Supervisor.Architecture;

/// <summary>Arrows point one way: a project under src refers to those alone that are listed here.</summary>
public class ProjectReferencesTests
{
    private static readonly Dictionary<string, string[]> Allowed = new(StringComparer.Ordinal)
    {
        ["Supervisor.Core"] = [],
        ["Supervisor.Native"] = [],
        ["Supervisor.Control"] = ["Supervisor.Core"],
        ["Supervisor.Client"] = [],
        ["Supervisor.Config"] = ["Supervisor.Core"],
        ["Supervisor.Linux"] = ["Supervisor.Core", "Supervisor.Native"],
        ["Supervisor.Daemon"] = ["Supervisor.Linux", "Supervisor.Control", "Supervisor.Config", "Supervisor.Core", "Supervisor.Native"],
        ["listend"] = ["Supervisor.Daemon"],

        // explain asks the kernel without a daemon; take and put pass descriptors through the broker's client.
        ["listenctl"] = ["Supervisor.Control", "Supervisor.Config", "Supervisor.Core", "Supervisor.Linux"],
    };

    [Fact]
    public void Each_project_refers_only_to_the_allowed_projects()
    {
        var projects = Directory.GetFiles(Path.Combine(Repository.Root(), "src"), "*.csproj", SearchOption.AllDirectories);
        Assert.NotEmpty(projects);
        var forbidden =
            from project in projects
            let name = Path.GetFileNameWithoutExtension(project)
            from reference in XDocument.Load(project).Descendants().Where(element => element.Name.LocalName == "ProjectReference")
            let target = Path.GetFileNameWithoutExtension(((string?)reference.Attribute("Include") ?? "").Replace('\\', '/'))
            where !Allowed.TryGetValue(name, out var may) || !may.Contains(target)
            select $"{name} -> {target}";
        Assert.Equal([], forbidden);
    }

    [Fact]
    public void Every_project_is_known() =>
        Assert.Equal(
            [],
            Directory.GetFiles(Path.Combine(Repository.Root(), "src"), "*.csproj", SearchOption.AllDirectories)
                .Select(Path.GetFileNameWithoutExtension)
                .Where(name => !Allowed.ContainsKey(name!)));

    [Fact]
    public void The_core_makes_no_system_call()
    {
        var sources = Directory.GetFiles(Path.Combine(Repository.Root(), "src", "Supervisor.Core"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal));
        string[] banned =
            ["DllImport", "LibraryImport", "System.IO", "File.", "DateTime.", "Environment.", "Stopwatch", "TimeProvider.System"];
        Assert.Equal(
            [],
            from source in sources
            from line in File.ReadLines(source)
            where !line.TrimStart().StartsWith("//", StringComparison.Ordinal)
            from word in banned
            where line.Contains(" " + word, StringComparison.Ordinal) || line.Contains("(" + word, StringComparison.Ordinal)
                || line.Contains("[" + word, StringComparison.Ordinal)
            select $"{Path.GetFileName(source)}: {line.Trim()}");
    }
}
