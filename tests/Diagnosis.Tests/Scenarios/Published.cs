namespace Supervisor.Diagnosis.Tests.Scenarios;

/// <summary>The published executables: artifacts/publish, or LISTEND_BIN. Copied to where every user may run them.</summary>
internal static class Published
{
    private static readonly Lazy<string> Directory = new(Copy);

    public static string Listenctl => Path.Combine(Directory.Value, "listenctl");

    public static string Listend => Path.Combine(Directory.Value, "listend");

    private static string Copy()
    {
        var from = Environment.GetEnvironmentVariable("LISTEND_BIN") ?? Path.Combine(Root(), "artifacts", "publish");
        var target = System.IO.Directory.CreateTempSubdirectory("listend-diagnosis-").FullName;
        File.SetUnixFileMode(target, (UnixFileMode)Convert.ToInt32("755", 8));
        foreach (var name in new[] { "listenctl", "listend" })
        {
            var source = Path.Combine(from, name);
            Assert.True(File.Exists(source), $"{source} is not there: make publish");
            File.Copy(source, Path.Combine(target, name));
        }

        AppDomain.CurrentDomain.ProcessExit += (_, _) => System.IO.Directory.Delete(target, recursive: true);
        return target;
    }

    private static string Root()
    {
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "Supervisor.sln")))
        {
            directory = Path.GetDirectoryName(directory) ?? throw new InvalidOperationException("no Supervisor.sln above the tests");
        }

        return directory;
    }
}
