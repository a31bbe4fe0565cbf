namespace Supervisor.EndToEnd;

/// <summary>The published executables, which these tests run.</summary>
internal static class Published
{
    private static readonly Lazy<string> Directory = new(Find);

    /// <summary>The daemon.</summary>
    public static string Listend => Program("listend");

    /// <summary>The control client.</summary>
    public static string Listenctl => Program("listenctl");

    /// <summary>The bundled worker.</summary>
    public static string Hello => Program("hello");

    /// <summary>The folder of examples.</summary>
    public static string Examples => Path.Combine(Root(), "packaging", "examples");

    /// <summary>A program of packaging/examples from the build of the solution.</summary>
    public static string Example(string name)
    {
        var path = Path.Combine(Examples, name, "bin", "Release", "net10.0", name);
        return File.Exists(path) ? path : throw new InvalidOperationException($"{path} does not exist; run: make build");
    }

    private static string Program(string name)
    {
        var path = Path.Combine(Directory.Value, name);
        return File.Exists(path) ? path : throw new InvalidOperationException($"{path} does not exist; run: make publish");
    }

    private static string Find() =>
        Environment.GetEnvironmentVariable("LISTEND_BIN") is { Length: > 0 } given
            ? Path.GetFullPath(given)
            : Path.Combine(Root(), "artifacts", "publish");

    private static string Root()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "Supervisor.sln")))
            {
                return at.FullName;
            }
        }

        throw new InvalidOperationException(
            $"no Supervisor.sln above {AppContext.BaseDirectory}; run the tests where they were built");
    }
}
