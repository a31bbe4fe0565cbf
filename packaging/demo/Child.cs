using System.Diagnostics;
using Tmds.Linux;

namespace Supervisor.Demo;

/// <summary>A program that the demo has started, with its output as lines.</summary>
internal sealed class Child : IDisposable
{
    private readonly Process _process;

    private Child(Process process) => _process = process;

    /// <summary>The process id.</summary>
    public int Pid => _process.Id;

    /// <summary>Whether the program has exited.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>
    /// Starts a program. <paramref name="output"/> and <paramref name="errors"/> get each line of its standard output
    /// and standard error, from any thread. Without them it inherits the demo's output.
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

    /// <summary>Waits for the exit and for the end of the output. Returns the exit status; 128 plus the number after a signal.</summary>
    public async Task<int> WaitAsync(CancellationToken cancellation)
    {
        await _process.WaitForExitAsync(cancellation);
        return _process.ExitCode;
    }

    /// <summary>Sends SIGTERM.</summary>
    public void Terminate() => Signal(Pid, 15);

    /// <summary>Sends SIGKILL.</summary>
    public void Kill()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }
    }

    /// <summary>kill(2). A process that has already exited is not an error.</summary>
    public static void Signal(int pid, int signal) => _ = LibC.kill(pid, signal);

    /// <inheritdoc />
    public void Dispose() => _process.Dispose();
}
