using Supervisor.Native;

namespace Supervisor.Linux.Kernel;

/// <summary>
/// Threads for probes of other users' processes, which may block for ever. /proc/PID/mem, cmdline, environ and syscall wait for
/// that process's locks and for the file system behind its pages, which may be its own (FUSE). A blocked probe delays neither
/// the loop, nor the thread pool that answers requests, nor the probes of other owners.
/// </summary>
/// <remarks>
/// At most <see cref="MaxThreads"/> probes run at the same time, <see cref="MaxPerOwner"/> of them for one owner; the others
/// wait in order. A probe that runs longer than <see cref="Overdue"/> no longer counts, so that another thread can start. An
/// owner with <see cref="MaxOverdue"/> overdue probes gets no further one until one returns. Threads exit when no probe waits.
/// Any thread.
/// </remarks>
internal sealed class ProbeThreads
{
    /// <summary>The instance that all probes of this process share.</summary>
    public static ProbeThreads Shared { get; } = new(TimeProvider.System);

    private const int MaxThreads = 4;
    private const int MaxPerOwner = 2;
    private const int MaxOverdue = 2;
    private static readonly TimeSpan Overdue = TimeSpan.FromSeconds(5);

    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private readonly LinkedList<Probe> _waiting = new();
    private readonly List<Probe> _running = [];
    private readonly ITimer _timer;

    public ProbeThreads(TimeProvider time)
    {
        _time = time;
        _timer = time.CreateTimer(_ => StartThreads(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>
    /// Runs a probe on its own thread. Throws <see cref="StuckException"/> if earlier probes of that owner are stuck.
    /// </summary>
    public Task<T> RunAsync<T>(object owner, Func<T> probe)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        void Run()
        {
            try
            {
                result.SetResult(probe());
            }
            catch (Exception exception)
            {
                result.SetException(exception);
            }
        }

        lock (_lock)
        {
            if (_running.Count(one => ReferenceEquals(one.Owner, owner) && IsOverdue(one)) >= MaxOverdue)
            {
                throw new StuckException();
            }

            _waiting.AddLast(new Probe(owner, Run));
        }

        StartThreads();
        return result.Task;
    }

    private bool IsOverdue(Probe probe) => _time.GetElapsedTime(probe.Started) > Overdue;

    private void StartThreads()
    {
        lock (_lock)
        {
            while (_running.Count(probe => !IsOverdue(probe)) < MaxThreads && Next() is { } probe)
            {
                BackgroundThread.Start("probe", 0, () => RunProbes(probe));
            }

            if (_waiting.Count > 0)
            {
                _timer.Change(Overdue, Timeout.InfiniteTimeSpan);
            }
        }
    }

    private Probe? Next()
    {
        bool HasFreeThread(object owner) =>
            _running.Count(other => ReferenceEquals(other.Owner, owner) && !IsOverdue(other)) < MaxPerOwner;

        var probe = _waiting.FirstOrDefault(one => HasFreeThread(one.Owner));
        if (probe is null)
        {
            return null;
        }

        _waiting.Remove(probe);
        probe.Started = _time.GetTimestamp();
        _running.Add(probe);
        return probe;
    }

    private void RunProbes(Probe? probe)
    {
        while (probe is not null)
        {
            probe.Run();
            lock (_lock)
            {
                // A thread that was replaced exits.
                var isReplaced = IsOverdue(probe);
                _running.Remove(probe);
                probe = isReplaced ? null : Next();
            }
        }

        StartThreads();
    }

    private sealed class Probe(object owner, Action run)
    {
        public object Owner { get; } = owner;

        public Action Run { get; } = run;

        public long Started { get; set; }
    }

    /// <summary>Earlier probes have not returned, so no further one starts.</summary>
    public sealed class StuckException()
        : Exception("earlier probes of its processes have not returned: they wait for the memory of these processes");
}
