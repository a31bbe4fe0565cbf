namespace Supervisor.Native;

/// <summary>
/// Starts the threads that the daemon may need later while the host still permits them. Workers can use up the processes that they share
/// with the daemon (RLIMIT_NPROC, pids.max), and the runtime ends the program when a thread that it needs does not start.
/// </summary>
/// <remarks>
/// The pool has as many threads as it wants without a delay, and they stay (listend.csproj). Another one, of the pool or of a library, is
/// of the kernel or of the reserve (threads.c), or waits until there is room. The main thread does not wait.
/// </remarks>
public static class ThreadReserve
{
    /// <summary>How long the pool's threads may take to start on a slow host.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Fills the reserve again. False if the host does not permit that now. Any thread.</summary>
    public static bool TryFill() => Syscalls.listend_threads_reserve() != 0;

    /// <summary>Makes the reserve and starts the threads of the pool. False if the host does not permit them. Main thread.</summary>
    public static bool TryMake()
    {
        // First: the runtime also ends the program when the pool's own threads do not start.
        if (!TryFill())
        {
            return false;
        }

        ThreadPool.GetMinThreads(out var count, out _);

        // Not disposed: a thread that starts late still uses it.
        var started = new CountdownEvent(count);
        for (var number = 0; number < count; number++)
        {
            ThreadPool.UnsafeQueueUserWorkItem(
                static started =>
                {
                    // The pool starts another thread only while none of its threads is free.
                    started.Signal();
                    started.Wait(Patience);
                },
                started, preferLocal: false);
        }

        return started.Wait(Patience) && TryFill();
    }
}
