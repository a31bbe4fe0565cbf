using Supervisor.Native;

namespace Supervisor.Listenctl.Terminal;

/// <summary>The search for a program, as a shell does it.</summary>
internal static class ProgramPath
{
    /// <summary>The path of a program: the command itself if it has a slash, otherwise the first in PATH; null if there is none.</summary>
    public static string? Find(string command) => command.Contains('/', StringComparison.Ordinal)
        ? command
        : (Environment.GetEnvironmentVariable("PATH") ?? "/usr/local/bin:/usr/bin:/bin")
            .Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Select(directory => Path.Combine(directory, command))
            .FirstOrDefault(candidate => File.Exists(candidate) && Files.IsExecutable(candidate));
}
