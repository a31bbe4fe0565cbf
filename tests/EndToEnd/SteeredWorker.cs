namespace Supervisor.EndToEnd;

/// <summary>The worker of tests of steered listeners, a program of Python: see workers/steered.py.</summary>
internal static class SteeredWorker
{
    /// <summary>The command, as the configuration has it.</summary>
    public static string Command(string mode) =>
        $"[\"{Needs.Program("python3", "python3")}\", \"{Path.Combine(AppContext.BaseDirectory, "workers", "steered.py")}\", \"{mode}\"]";
}
