using System.Collections.Concurrent;
using Supervisor.Native;

namespace Supervisor.Linux.Kernel;

/// <summary>
/// Reads variables from other processes' environments within a time limit. Reading /proc/PID/environ accesses the process's
/// memory (mm/memory.c, access_remote_vm). The process's locks, or a page from its own file system, can delay that without
/// limit. So each read has its own thread and each user has one read at a time. A read that never ends blocks only later reads
/// of that user, which then fail at once: a search of thousands of processes must not wait for each of them.
/// </summary>
internal static class ProcessEnvironment
{
    /// <summary>The time limit of a read, and of the wait for the user's turn.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private const int StackBytes = 128 * 1024;

    private static readonly ConcurrentDictionary<uint, Turn> Turns = new();

    /// <summary>
    /// The values of <paramref name="names"/> for a process of <paramref name="user"/>, in order. All are null if it has none
    /// of them, or if the read timed out. Any thread except the loop's.
    /// </summary>
    public static async Task<string?[]> ReadAsync(int pid, uint user, params string[] names)
    {
        var turn = Turns.GetOrAdd(user, static _ => new Turn());
        if (!await turn.TryBeginAsync().ConfigureAwait(false))
        {
            return new string?[names.Length];
        }

        var read = new TaskCompletionSource<string?[]>(TaskCreationOptions.RunContinuationsAsynchronously);
        BackgroundThread.Start("environ", StackBytes, () =>
        {
            var values = ProcFile.VariablesOf(pid, names);
            turn.Release();
            read.SetResult(values);
        });
        if (await Task.WhenAny(read.Task, Task.Delay(Patience)).ConfigureAwait(false) == read.Task)
        {
            return await read.Task.ConfigureAwait(false);
        }

        turn.IsLate = true;
        return new string?[names.Length];
    }

    /// <summary>The reads of one user's processes, one at a time.</summary>
    private sealed class Turn() : SemaphoreSlim(1)
    {
        private volatile bool _isLate;

        /// <summary>Whether the present read has passed its time limit, so that others do not wait for it.</summary>
        public bool IsLate
        {
            set => _isLate = value;
        }

        /// <summary>Waits for the turn; false if it does not come in time.</summary>
        public async Task<bool> TryBeginAsync()
        {
            if (!await WaitAsync(_isLate ? TimeSpan.Zero : Patience).ConfigureAwait(false))
            {
                _isLate = true;
                return false;
            }

            _isLate = false;
            return true;
        }
    }
}
