using System.Collections.Concurrent;

namespace Supervisor.Linux.Kernel;

/// <summary>
/// Reads variables of other processes' environments with a bound on the wait. /proc/PID/environ is read out of the process's
/// memory (access_remote_vm() in mm/memory.c): its own locks, or a page that its own file system has to bring, decide how long
/// that takes. So each read has a thread of its own, a user has one read at a time, and a read that does not end costs that
/// user, and nobody else, every later one.
/// </summary>
internal static class ProcessEnvironment
{
    /// <summary>How long a read may take, and how long it waits for the user's turn.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private const int StackBytes = 128 * 1024;

    private static readonly ConcurrentDictionary<uint, SemaphoreSlim> Turns = new();

    /// <summary>
    /// The values of those variables, in their order, of a process of <paramref name="user"/>; all null where it has none of
    /// them, or they could not be read in time. Any thread but the loop's.
    /// </summary>
    public static async Task<string?[]> ReadAsync(int pid, uint user, params string[] names)
    {
        var turn = Turns.GetOrAdd(user, static _ => new SemaphoreSlim(1));
        if (!await turn.WaitAsync(Patience).ConfigureAwait(false))
        {
            return new string?[names.Length];
        }

        var read = new TaskCompletionSource<string?[]>(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(
            () =>
            {
                var values = ProcFile.VariablesOf(pid, names);
                turn.Release();
                read.SetResult(values);
            },
            StackBytes)
        {
            IsBackground = true,
            Name = "environ",
        };
        thread.Start();
        return await Task.WhenAny(read.Task, Task.Delay(Patience)).ConfigureAwait(false) == read.Task
            ? await read.Task.ConfigureAwait(false)
            : new string?[names.Length];
    }
}
