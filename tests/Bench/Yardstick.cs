using System.Diagnostics;
using System.Globalization;
using Supervisor.Native;

namespace Supervisor.Bench;

/// <summary>A program that prints numbers, or that runs during a measurement until its standard input ends.</summary>
internal sealed class Yardstick : IDisposable
{
    private const int Terminate = 15;

    private static readonly TimeSpan EndsWithin = TimeSpan.FromSeconds(5);

    private readonly Process _process;
    private readonly bool _endsBySignal;

    private Yardstick(Process process, bool endsBySignal = false)
    {
        _process = process;
        _endsBySignal = endsBySignal;
    }

    /// <summary>The process id.</summary>
    public int Pid => _process.Id;

    /// <summary>Starts a program that runs until its standard input ends.</summary>
    public static Yardstick Start(string program, params string[] arguments) => new(Process.Start(
        new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true })!);

    /// <summary>
    /// Starts another project's program, which exits on SIGTERM. What it writes is dropped, so that it never waits for a reader; a
    /// program of systemd logs only errors.
    /// </summary>
    public static Yardstick StartPeer(string program, params string[] arguments)
    {
        var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["SYSTEMD_LOG_LEVEL"] = "err" },
        })!;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return new Yardstick(process, endsBySignal: true);
    }

    /// <summary>Runs a program and returns the numbers that it prints.</summary>
    public static IReadOnlyList<long> Numbers(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var numbers = process.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => long.Parse(line, CultureInfo.InvariantCulture)).ToArray();
        process.WaitForExit();
        return process.ExitCode == 0
            ? numbers
            : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: exit status {process.ExitCode}");
    }

    /// <summary>Waits for the next printed number.</summary>
    public long Next() => long.Parse(_process.StandardOutput.ReadLine()!, CultureInfo.InvariantCulture);

    /// <summary>Closes the program's standard input, or signals it, and waits until it exits.</summary>
    public void Dispose()
    {
        if (_endsBySignal)
        {
            Processes.Kill(_process.Id, Terminate);
        }

        _process.StandardInput.Close();
        if (!_process.WaitForExit(EndsWithin))
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }
}
