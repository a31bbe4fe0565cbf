using System.Globalization;

namespace Supervisor.Core.Diagnosis;

/// <summary>The processes of a worker at one moment.</summary>
/// <param name="Processes">Its main process first, then others and descendants, as far as they could be read.</param>
public sealed record WorkerSample(IReadOnlyList<ProcessSample> Processes)
{
    /// <summary>The inode numbers of the sockets that they have open; null if unknown, and if it was not asked for.</summary>
    public IReadOnlyDictionary<ulong, int>? Sockets { get; init; }

    /// <summary>Listeners, by inode number, that a thread or an epoll set of it waits for; null if it was not asked for.</summary>
    public IReadOnlySet<ulong>? Awaited { get; init; }

    /// <summary>Processor time of all its processes.</summary>
    public TimeSpan ProcessorTime => new(Processes.Sum(process => process.ProcessorTime.Ticks));

    /// <summary>The process that is closest to its limit of descriptors; null if unknown.</summary>
    public ProcessSample? Fullest => Processes.Where(process => process.DescriptorLimit > 0)
        .MaxBy(process => (double)process.Descriptors / process.DescriptorLimit);

    /// <summary>A process that a signal or a debugger has stopped; null if none is.</summary>
    public ProcessSample? Stopped => Processes.FirstOrDefault(process => process.State is 'T' or 't');

    /// <summary>
    /// What it does: its main process, or if that only waits for its children, the first one of them that does something else.
    /// </summary>
    public ProcessSample? Actor => Processes.FirstOrDefault(process => process.IsBusy) ?? (Processes.Count == 0 ? null : Processes[^1]);
}

/// <summary>One process: proc_pid_stat(5), proc_pid_syscall(5), proc_pid_wchan(5).</summary>
/// <param name="Pid">Process id.</param>
/// <param name="State">Field 3 of stat: R, S, D, T, t, Z. R if any thread runs.</param>
/// <param name="Threads">Its threads.</param>
/// <param name="ProcessorTime">Processor time so far, in steps of 10 ms.</param>
public sealed record ProcessSample(int Pid, char State, int Threads, TimeSpan ProcessorTime)
{
    /// <summary>Open descriptors; 0 if unknown.</summary>
    public long Descriptors { get; init; }

    /// <summary>The soft RLIMIT_NOFILE; 0 if unknown.</summary>
    public long DescriptorLimit { get; init; }

    /// <summary>The system call in which its first thread waits, by name or number; null if it runs, or if that is not visible.</summary>
    public string? Call { get; init; }

    /// <summary>Where in the kernel its first thread waits; null if unknown.</summary>
    public string? WaitChannel { get; init; }

    /// <summary>Whether it does something else than wait for connections or for children.</summary>
    public bool IsBusy => State is 'R' or 'D' or 'T' or 't'
        || (Call is not null && !Call.StartsWith("epoll_", StringComparison.Ordinal) && !Call.StartsWith("wait", StringComparison.Ordinal)
            && Call is not ("poll" or "ppoll" or "select" or "pselect6" or "accept" or "accept4" or "pause" or "rt_sigtimedwait"));

    /// <summary>One word: running, waiting, blocked, stopped, traced, exited.</summary>
    public string Activity => State switch
    {
        'R' => "running",
        'D' => "blocked",
        'T' => "stopped",
        't' => "traced",
        'Z' or 'X' => "exited",
        _ => "waiting",
    };

    /// <summary>What it does, for people.</summary>
    public override string ToString()
    {
        var where = (Call, WaitChannel) switch
        {
            (null, null) => "",
            (null, { } channel) => $" in the kernel at {channel}",
            ({ } call, null) => $" in {call}()",
            var (call, channel) => $" in {call}() at {channel}",
        };
        return State switch
        {
            'R' => Threads == 1 ? "computes on a processor, its only thread" : string.Create(
                CultureInfo.InvariantCulture, $"computes on a processor ({Threads} threads)"),
            'D' => $"is blocked in the kernel (state D){where}",
            'T' => "is stopped by a signal (state T)",
            't' => "is stopped by a debugger (state t)",
            'Z' or 'X' => "has exited",
            _ => $"waits{where}{(Threads == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $" (the first of {Threads} threads)"))}",
        };
    }
}
