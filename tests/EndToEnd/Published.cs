namespace Supervisor.EndToEnd;

/// <summary>The published executables: what a user has installed, and what these tests run.</summary>
internal static class Published
{
    private static readonly Lazy<string> Directory = new(Find);

    /// <summary>The daemon.</summary>
    public static string Listend => Program("listend");

    /// <summary>The control client.</summary>
    public static string Listenctl => Program("listenctl");

    /// <summary>The bundled worker.</summary>
    public static string Hello => Program("hello");

    private static string Program(string name)
    {
        var path = Path.Combine(Directory.Value, name);
        return File.Exists(path) ? path : throw new InvalidOperationException($"{path} is not there; run: make publish");
    }

    // LISTEND_BIN, else artifacts/publish beside Supervisor.sln.
    private static string Find()
    {
        if (Environment.GetEnvironmentVariable("LISTEND_BIN") is { Length: > 0 } given)
        {
            return Path.GetFullPath(given);
        }

        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "Supervisor.sln")))
            {
                return Path.Combine(at.FullName, "artifacts", "publish");
            }
        }

        throw new InvalidOperationException($"there is no Supervisor.sln above {AppContext.BaseDirectory}; set LISTEND_BIN to the directory of the published executables, after: make publish");
    }
}
