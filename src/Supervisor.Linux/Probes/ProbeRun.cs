namespace Supervisor.Linux.Probes;

/// <summary>How a run of the program of a probe ended.</summary>
/// <param name="Seen">Why it did not succeed; null if it did.</param>
/// <param name="IsUnable">Whether the program could not be run, so nothing was learned about the worker.</param>
internal readonly record struct ProbeRun(string? Seen, bool IsUnable)
{
    /// <summary>
    /// The exit status of a shell, env(1), timeout(1) and others for a program that they found and cannot execute (POSIX, Shell Command
    /// Language, 2.8.2).
    /// </summary>
    public const int NotExecutable = 126;

    /// <summary>Their exit status for a program that they did not find.</summary>
    public const int NotFound = 127;

    /// <summary>The program exited with status 0.</summary>
    public static ProbeRun Passed => default;

    /// <summary>The program was not started.</summary>
    public static ProbeRun Unable(string? why) => new($"exec: {why}", IsUnable: true);
}
