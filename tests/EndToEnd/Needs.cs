namespace Supervisor.EndToEnd;

/// <summary>Programs of the host that a test cannot do without.</summary>
internal static class Needs
{
    /// <summary>The program's path; fails with the command that installs it.</summary>
    public static string Program(string name, string package) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(directory => Path.Combine(directory, name))
            .FirstOrDefault(File.Exists)
        ?? throw new InvalidOperationException($"{name} is not installed; run: apt-get install -y --no-install-recommends {package}");
}
