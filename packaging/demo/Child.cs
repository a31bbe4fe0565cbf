using System.Diagnostics;
using Tmds.Linux;

namespace Supervisor.Demo;

/// <summary>A program that the demo has started; its output comes line by line.</summary>
internal sealed class Child : IDisposable
{
    private readonly Process _process;

    private Child(Process process) => _process = process;

    /// <summary>Its process id.</summary>
    public int Pid => _process.Id;

    /// <summary>Whether it has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>
    /// Starts a program. <paramref name="output"/> and <paramref name="errors"/> get each line of its standard output
    /// and standard error, from any thread. Without them it writes where the demo does.
    /// </summary>
    public static Child Start(string program, IEnumerable<string> arguments, Action<string>? output = null, Action<string>? errors = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = output is not null,
            RedirectStandardError = errors is not null
        };
        var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, data) => Forward(data.Data, output);
        process.ErrorDataReceived += (_, data) => Forward(data.Data, errors);
        process.Start();
        if (output is not null)
        {
            process.BeginOutputReadLine();
        }

        if (errors is not null)
        {
            process.BeginErrorReadLine();
        }

        return new Child(process);

        static void Forward(string? line, Action<string>? to)
        {
            if (line is not null)
            {
                to?.Invoke(line);
            }
        }
    }

    /// <summary>Waits for its end and for the end of its output. Returns the exit code; for death by signal 128 and the signal.</summary>
    public async Task<int> WaitAsync(CancellationToken cancellation)
    {
        await _process.WaitForExitAsync(cancellation);
        return _process.ExitCode;
    }

    /// <summary>Asks it to end.</summary>
    public void Terminate() => Signal(Pid, 15);

    /// <summary>Ends it.</summary>
    public void Kill()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }
    }

    /// <summary>kill(2). That the process is gone already is no error.</summary>
    public static void Signal(int pid, int signal) => _ = LibC.kill(pid, signal);

    /// <inheritdoc />
    public void Dispose() => _process.Dispose();
}
