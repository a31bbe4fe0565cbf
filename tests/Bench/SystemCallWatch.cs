using System.Diagnostics;
using System.Globalization;
using Supervisor.Native;

namespace Supervisor.Bench;

/// <summary>Counts the system calls of a process and all its threads by strace.</summary>
internal static class SystemCallWatch
{
    private const int Interrupt = 2;

    /// <summary>
    /// The time between strace's attach and the count. The attach interrupts the call in which each thread waits, and the
    /// thread begins it again. No event reports that the last thread has done so.
    /// </summary>
    private static readonly TimeSpan UntilCallsAreResumed = TimeSpan.FromSeconds(1);

    /// <summary>The calls that begin within <paramref name="duration"/>; null if strace is missing or not permitted.</summary>
    public static int? Count(int pid, TimeSpan duration, string file)
    {
        try
        {
            using var strace = Process.Start(new ProcessStartInfo(
                "strace",
                ["-f", "-ttt", "-o", file, "-p", pid.ToString(CultureInfo.InvariantCulture)])
            { RedirectStandardError = true })!;
            if (strace.StandardError.ReadLine()?.Contains("attached", StringComparison.Ordinal) != true)
            {
                return null;
            }

            Thread.Sleep(UntilCallsAreResumed);
            var begin = Now();

            // The measurement itself: what the process calls in this time.
            Thread.Sleep(duration);
            var end = Now();
            if (strace.HasExited)
            {
                return null;
            }

            Processes.Kill(strace.Id, Interrupt);
            strace.WaitForExit();
            return File.ReadLines(file)
                .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Where(words => words.Length > 2 && words[2][0] != '<')
                .Select(words => double.Parse(words[1], CultureInfo.InvariantCulture))
                .Count(at => at > begin && at < end);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    private static double Now() => TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;
}
