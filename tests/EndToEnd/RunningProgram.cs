using System.Diagnostics;
using Tmds.Linux;

namespace Supervisor.EndToEnd;

/// <summary>A program that a test has started. Owns the process, and kills it at the end by its id.</summary>
internal sealed class RunningProgram : IAsyncDisposable
{
    private readonly Process _process;

    private RunningProgram(Process process) => _process = process;

    /// <summary>The process id.</summary>
    public int Pid => _process.Id;

    /// <summary>Standard error.</summary>
    public LineLog Error { get; } = new();

    /// <summary>Standard output.</summary>
    public LineLog Output { get; } = new();

    /// <summary>Whether the program has exited.</summary>
    public bool HasEnded => _process.HasExited;

    /// <summary>Starts a program. A variable with the value null is removed from the environment.</summary>
    public static RunningProgram Start(string file, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null)
    {
        var start = new ProcessStartInfo(file, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
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

    /// <summary>Runs a program until it exits.</summary>
    public static async Task<ProgramResult> RunAsync(
        string file,
        IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string?>? environment = null)
    {
        await using var program = Start(file, arguments, environment);
        var exitCode = await program.WaitAsync();
        return new ProgramResult(exitCode, string.Join('\n', program.Output.Lines), string.Join('\n', program.Error.Lines));
    }

    /// <summary>Waits for the exit and for the end of the output. Returns the exit status; 128 plus the number after a signal.</summary>
    public async Task<int> WaitAsync(TimeSpan? within = null)
    {
        var patience = within ?? Patience.Limit;
        using var limit = new CancellationTokenSource(patience);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"{_process.StartInfo.FileName} (pid {Pid}) has not exited within {patience.TotalSeconds} s");
        }

        return _process.ExitCode;
    }

    /// <summary>kill(2).</summary>
    public void Signal(int signal) => Kill(Pid, signal);

    /// <summary>kill(2) for any process. A process that has already exited is not an error.</summary>
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
