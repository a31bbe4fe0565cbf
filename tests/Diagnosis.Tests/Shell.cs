using System.Diagnostics;

namespace Supervisor.Diagnosis.Tests;

/// <summary>A command line in the network namespace of the thread that runs it.</summary>
internal static class Shell
{
    public static string Run(string script)
    {
        using var process = Process.Start(
            new ProcessStartInfo("/bin/sh", ["-ec", script]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{script}: exit {process.ExitCode}: {error.Result}");
    }
}
