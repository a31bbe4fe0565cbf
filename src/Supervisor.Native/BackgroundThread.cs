namespace Supervisor.Native;

/// <summary>
/// Starts background threads also where the host permits none for a while (RLIMIT_NPROC, pids.max): a worker can use up what it shares
/// with the daemon. The runtime's own threads have a reserve (<see cref="ThreadReserve"/>). Any thread.
/// </summary>
public static class BackgroundThread
{
    /// <summary>How long a thread that could not start waits before the next attempt.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private static readonly Lock Lock = new();
    private static readonly Queue<(string Name, int StackBytes, Action Body)> Waiting = [];

    /// <summary>Rings once at the beginning: the runtime then has the thread of its timers, which it might not get later.</summary>
    private static readonly Timer Retry = new(static _ => StartWaiting(), null, TimeSpan.Zero, Timeout.InfiniteTimeSpan);

    /// <summary>Runs <paramref name="body"/> on a thread of its own: now, or as soon as the host permits another thread.</summary>
    /// <param name="name">The thread's name.</param>
    /// <param name="stackBytes">The size of its stack in bytes; 0: the usual one.</param>
    /// <param name="body">What it runs. It must not throw.</param>
    public static void Start(string name, int stackBytes, Action body)
    {
        _ = Retry;
        if (TryStart(name, stackBytes, body) is not null)
        {
            return;
        }

        lock (Lock)
        {
            Waiting.Enqueue((name, stackBytes, body));
            Retry.Change(Pause, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Runs <paramref name="body"/> on a thread of its own; null if the host permits no further thread now (EAGAIN).</summary>
    /// <param name="name">The thread's name.</param>
    /// <param name="stackBytes">The size of its stack in bytes; 0: the usual one.</param>
    /// <param name="body">What it runs. It must not throw.</param>
    public static Thread? TryStart(string name, int stackBytes, Action body)
    {
        try
        {
            var thread = new Thread(() => body(), stackBytes) { IsBackground = true, Name = name };
            Syscalls.listend_threads_optional(1);
            thread.Start();
            return thread;
        }
        catch (Exception exception) when (exception is OutOfMemoryException or ThreadStartException)
        {
            // The runtime knows no other reason than memory.
            return null;
        }
        finally
        {
            Syscalls.listend_threads_optional(0);
        }
    }

    private static void StartWaiting()
    {
        lock (Lock)
        {
            while (Waiting.TryPeek(out var next))
            {
                if (TryStart(next.Name, next.StackBytes, next.Body) is null)
                {
                    Retry.Change(Pause, Timeout.InfiniteTimeSpan);
                    return;
                }

                Waiting.Dequeue();
            }
        }
    }
}
