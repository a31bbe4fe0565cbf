using System.Diagnostics;
using Tmds.Linux;

namespace Supervisor.EndToEnd;

/// <summary>A program that a test has started. Owns the process: what still runs at the end is killed, by its id.</summary>
internal sealed class RunningProgram : IAsyncDisposable
{
    private readonly Process _process;

    private RunningProgram(Process process) => _process = process;

    /// <summary>Its process id.</summary>
    public int Pid => _process.Id;

    /// <summary>What it writes to standard error.</summary>
    public LineLog Error { get; } = new();

    /// <summary>What it writes to standard output.</summary>
    public LineLog Output { get; } = new();

    /// <summary>Whether it has ended.</summary>
    public bool HasEnded => _process.HasExited;

    /// <summary>Starts a program. A variable whose value is null is taken out of the environment.</summary>
    public static RunningProgram Start(string file, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null)
    {
        var start = new ProcessStartInfo(file, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string?>())
        {
            start.Environment[name] = value;
        }

        var process = new Process { StartInfo = start };
        var program = new RunningProgram(process);
        process.OutputDataReceived += (_, data) => Forward(program.Output, data.Data);
        process.ErrorDataReceived += (_, data) => Forward(program.Error, data.Data);
        process.Start();
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return program;
    }

    /// <summary>Runs a program to its end.</summary>
    public static async Task<ProgramResult> RunAsync(
        string file,
        IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string?>? environment = null)
    {
        await using var program = Start(file, arguments, environment);
        var exitCode = await program.WaitAsync();
        return new ProgramResult(exitCode, string.Join('\n', program.Output.Lines), string.Join('\n', program.Error.Lines));
    }

    /// <summary>Waits for its end and the end of its output. The exit code; 128 and the signal for a death by signal.</summary>
    public async Task<int> WaitAsync()
    {
        using var limit = new CancellationTokenSource(Patience.Limit);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"{_process.StartInfo.FileName} (pid {Pid}) has not ended within {Patience.Limit.TotalSeconds} s");
        }

        return _process.ExitCode;
    }

    /// <summary>kill(2).</summary>
    public void Signal(int signal) => Kill(Pid, signal);

    /// <summary>kill(2) for any process. That it is gone already is no error.</summary>
    public static void Kill(int pid, int signal) => _ = LibC.kill(pid, signal);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private static void Forward(LineLog log, string? line)
    {
        if (line is null)
        {
            log.End();
        }
        else
        {
            log.Add(line);
        }
    }
}
