using System.Runtime.InteropServices;

namespace Supervisor.Native;

/// <summary>
/// A child in the session, process group and terminal of this process, with the same standard input, output and error (foreground.c).
/// It gets SIGTERM when the thread that started it exits, so <see cref="Start"/> is for the main thread.
/// </summary>
public sealed unsafe class ForegroundProgram : IDisposable
{
    private readonly DescriptorHandle _pidfd;

    private ForegroundProgram(DescriptorHandle pidfd) => _pidfd = pidfd;

    /// <summary>Starts a program; null and the error of the call that failed if it cannot be executed.</summary>
    /// <param name="path">The executable.</param>
    /// <param name="arguments">argv, including the program's name.</param>
    /// <param name="error">The failed call.</param>
    public static ForegroundProgram? Start(string path, IReadOnlyList<string> arguments, out SystemCallError error)
    {
        var memory = new List<nint>();
        try
        {
            string[] environment = [.. OwnProcess.Environment.Select(variable => $"{variable.Key}={variable.Value}")];
            var pid = Syscalls.listend_foreground(
                NativeText.Of(path, memory), NativeText.Block(arguments, memory), NativeText.Block(environment, memory));
            error = pid < 0 ? SystemCallError.Last("execve") : default;
            return pid >= 0 && Processes.OpenPidfd(pid, out error) is { } pidfd ? new ForegroundProgram(pidfd) : null;
        }
        finally
        {
            foreach (var block in memory)
            {
                NativeMemory.Free((void*)block);
            }
        }
    }

    /// <summary>Sends a signal; does nothing after the program has exited.</summary>
    public void Signal(int signal) => _ = Processes.Signal(_pidfd, signal);

    /// <summary>Waits until the program has exited and reaps it.</summary>
    public Processes.Exit Wait()
    {
        while (true)
        {
            if (Polling.Await(_pidfd, TimeSpan.FromDays(1)) && Processes.Reap(_pidfd) is { } exit)
            {
                return exit;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _pidfd.Dispose();
}
