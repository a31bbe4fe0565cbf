using Xunit;

namespace Supervisor.EndToEnd.Faults;

/// <summary>workers/quick.c in a test's directory, and the fault of its next start.</summary>
internal static class QuickWorker
{
    /// <summary>The section of a service that runs the worker; more settings can follow.</summary>
    public const string Service = """
        command = ["@dir@/quick"]
        working_directory = "@dir@"
        """;

    /// <summary>Compiles the worker.</summary>
    public static void Compile(TemporaryDirectory directory)
    {
        var source = Path.Combine(AppContext.BaseDirectory, "workers", "quick.c");
        var result = RunningProgram.RunAsync(
            Needs.Program("cc", "gcc libc6-dev"),
            ["-O1", "-Wall", "-Wextra", "-Werror", "-o", directory["quick"], source]).GetAwaiter().GetResult();
        Assert.True(result.ExitCode == 0, $"cc: exit code {result.ExitCode}\n{result.Error}");
    }

    /// <summary>Sets the fault of the next workers: see quick.c; an empty mode means none.</summary>
    public static void Mode(TemporaryDirectory directory, string mode)
    {
        // Renamed into place: a worker that starts now reads either the old file or the new one.
        directory.Write("mode.new", mode + "\n");
        File.Move(directory["mode.new"], directory["mode"], overwrite: true);
    }
}
