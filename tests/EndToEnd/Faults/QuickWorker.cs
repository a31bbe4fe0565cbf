using Xunit;

namespace Supervisor.EndToEnd.Faults;

/// <summary>workers/quick.c in a test's directory, and what it is told to do wrong from its next start on.</summary>
internal static class QuickWorker
{
    /// <summary>The section of a service that runs it; what follows is added to it.</summary>
    public const string Service = """
        command = ["@dir@/quick"]
        working_directory = "@dir@"
        """;

    /// <summary>Compiles it.</summary>
    public static void Compile(TemporaryDirectory directory)
    {
        var source = Path.Combine(AppContext.BaseDirectory, "workers", "quick.c");
        var result = RunningProgram.RunAsync(
            Needs.Program("cc", "gcc libc6-dev"),
            ["-O1", "-Wall", "-Wextra", "-Werror", "-o", directory["quick"], source]).GetAwaiter().GetResult();
        Assert.True(result.ExitCode == 0, $"cc: exit code {result.ExitCode}\n{result.Error}");
    }

    /// <summary>What the next ones do: see quick.c; an empty mode is none.</summary>
    public static void Mode(TemporaryDirectory directory, string mode)
    {
        // Renamed into place: a worker that starts just now reads the one or the other.
        directory.Write("mode.new", mode + "\n");
        File.Move(directory["mode.new"], directory["mode"], overwrite: true);
    }
}
