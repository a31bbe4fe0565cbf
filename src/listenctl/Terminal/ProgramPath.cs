using Supervisor.Native;

namespace Supervisor.Listenctl.Terminal;

/// <summary>The search for a program, as a shell does it.</summary>
internal static class ProgramPath
{
    /// <summary>
    /// The path of a program: the command itself if it has a slash, otherwise the first in PATH, an executable one if there is any;
    /// null if there is none.
    /// </summary>
    public static string? Find(string command)
    {
        if (command.Contains('/', StringComparison.Ordinal))
        {
            return command;
        }

        var found = (Environment.GetEnvironmentVariable("PATH") ?? "/usr/local/bin:/usr/bin:/bin")
            .Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Select(directory => Path.Combine(directory, command))
            .Where(File.Exists)
            .ToArray();
        return Array.Find(found, AccessCheck.IsExecutable) ?? found.FirstOrDefault();
    }
}
