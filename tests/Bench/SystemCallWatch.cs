using System.Diagnostics;
using System.Globalization;
using Supervisor.Native;

namespace Supervisor.Bench;

/// <summary>Counts the system calls of a process and all its threads by strace.</summary>
internal static class SystemCallWatch
{
    private const int Interrupt = 2;

    /// <summary>The delay between the attach and the count, because the attach interrupts waiting calls.</summary>
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(1);

    /// <summary>The calls that begin within <paramref name="duration"/>; null if strace is missing or not permitted.</summary>
    public static int? Count(int pid, TimeSpan duration, string file)
    {
        try
        {
            using var strace = Process.Start(new ProcessStartInfo(
                "strace",
                ["-f", "-q", "-ttt", "-o", file, "-p", pid.ToString(CultureInfo.InvariantCulture)])
            { RedirectStandardError = true })!;
            Thread.Sleep(Settling);
            var begin = Now();
            Thread.Sleep(duration);
            var end = Now();
            if (strace.HasExited)
            {
                return null;
            }

            Processes.Kill(strace.Id, Interrupt);
            strace.WaitForExit();
            return File.ReadLines(file).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Count(words => words.Length > 2 && words[2][0] != '<' && double.Parse(words[1], CultureInfo.InvariantCulture) is var at
                    && at > begin
                    && at < end);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    private static double Now() => TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;
}
