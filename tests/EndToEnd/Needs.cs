namespace Supervisor.EndToEnd;

/// <summary>Programs of the host that tests need.</summary>
internal static class Needs
{
    /// <summary>Returns the program's path, or fails with the command that installs it.</summary>
    public static string Program(string name, string package) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
            .Select(directory => Path.Combine(directory, name))
            .FirstOrDefault(File.Exists)
        ?? throw new InvalidOperationException($"{name} is not installed; run: apt-get install -y --no-install-recommends {package}");
}
