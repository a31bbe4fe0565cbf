namespace Supervisor.Linux.Kernel;

/// <summary>
/// Threads for looks into processes of others, which may not return: /proc/PID/mem, cmdline, environ and syscall wait for locks
/// of that process, and for the file system behind its pages, which may be its own (FUSE). Such a look costs neither the
/// loop nor the pool, on which requests are answered, and no other owner's looks.
/// </summary>
/// <remarks>
/// At most <see cref="MostThreads"/> run at a time, <see cref="MostOfOwner"/> of one owner, and the others wait in their order. One that has not returned after
/// <see cref="Overdue"/> is counted no more, so that another thread takes its place; an owner with
/// <see cref="MostOverdue"/> of those has no further look until one returns. Threads end when nothing waits. Any thread.
/// </remarks>
internal sealed class ProbeThreads
{
    /// <summary>For all looks of this process.</summary>
    public static ProbeThreads Shared { get; } = new(TimeProvider.System);

    private const int MostThreads = 4;
    private const int MostOfOwner = 2;
    private const int MostOverdue = 2;
    private static readonly TimeSpan Overdue = TimeSpan.FromSeconds(5);

    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private readonly LinkedList<Look> _waiting = new();
    private readonly List<Look> _running = [];
    private readonly ITimer _timer;

    public ProbeThreads(TimeProvider time)
    {
        _time = time;
        _timer = time.CreateTimer(_ => StartThreads(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Runs a look on a thread of its own. Throws <see cref="StuckException"/> where earlier ones of that owner have not returned.</summary>
    public Task<T> RunAsync<T>(object owner, Func<T> look)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        void Run()
        {
            try
            {
                result.SetResult(look());
            }
            catch (Exception exception)
            {
                result.SetException(exception);
            }
        }

        lock (_lock)
        {
            if (_running.Count(one => ReferenceEquals(one.Owner, owner) && IsOverdue(one)) >= MostOverdue)
            {
                throw new StuckException();
            }

            _waiting.AddLast(new Look(owner, Run));
        }

        StartThreads();
        return result.Task;
    }

    private bool IsOverdue(Look look) => _time.GetElapsedTime(look.Started) > Overdue;

    private void StartThreads()
    {
        lock (_lock)
        {
            while (_running.Count(look => !IsOverdue(look)) < MostThreads && Next() is { } look)
            {
                new Thread(() => Work(look)) { IsBackground = true, Name = "look" }.Start();
            }

            if (_waiting.Count > 0)
            {
                _timer.Change(Overdue, Timeout.InfiniteTimeSpan);
            }
        }
    }

    private Look? Next()
    {
        var look = _waiting.FirstOrDefault(one => _running.Count(other => ReferenceEquals(other.Owner, one.Owner) && !IsOverdue(other)) < MostOfOwner);
        if (look is null)
        {
            return null;
        }

        _waiting.Remove(look);
        look.Started = _time.GetTimestamp();
        _running.Add(look);
        return look;
    }

    private void Work(Look? look)
    {
        while (look is not null)
        {
            look.Run();
            lock (_lock)
            {
                // One whose place another thread has taken ends.
                var isReplaced = IsOverdue(look);
                _running.Remove(look);
                look = isReplaced ? null : Next();
            }
        }

        StartThreads();
    }

    private sealed class Look(object owner, Action run)
    {
        public object Owner { get; } = owner;

        public Action Run { get; } = run;

        public long Started { get; set; }
    }

    /// <summary>Looks have not returned, so no further one begins.</summary>
    public sealed class StuckException() : Exception("earlier looks into its processes have not returned: they wait for memory of these processes");
}
