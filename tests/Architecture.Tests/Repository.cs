namespace Supervisor.Architecture;

/// <summary>The files that the tests were built from.</summary>
internal static class Repository
{
    /// <summary>The repository's folder, found from the folder of the test assembly upwards.</summary>
    public static string Root()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Supervisor.sln")))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException("no Supervisor.sln above " + AppContext.BaseDirectory);
    }

    /// <summary>The C# files below a folder of the repository, without generated ones.</summary>
    public static IEnumerable<string> Sources(string folder) => Directory
        .EnumerateFiles(Path.Combine(Root(), folder), "*.cs", SearchOption.AllDirectories)
        .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal));

    /// <summary>The paths from the root of the files below a folder that match a pattern, without what builds make.</summary>
    public static IEnumerable<string> Files(string folder, string pattern) => Directory
        .EnumerateFiles(Path.Combine(Root(), folder), pattern, SearchOption.AllDirectories)
        .Select(file => Path.GetRelativePath(Root(), file))
        .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal))
        .Order(StringComparer.Ordinal);
}
