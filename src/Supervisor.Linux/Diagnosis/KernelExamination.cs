using System.Diagnostics;
using Supervisor.Core.Diagnosis;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Probes;

namespace Supervisor.Linux.Diagnosis;

/// <summary>
/// Looks twice at listeners, their connections and their workers, and samples the queues in between. The reads take time in proportion to
/// the connections and descriptors, so they run on threads that may wait, never on the loop; few run at the same time.
/// </summary>
public sealed class KernelExamination
{
    /// <summary>The longest time between two looks.</summary>
    public static readonly TimeSpan MaxInterval = TimeSpan.FromMinutes(1);

    /// <summary>The default.</summary>
    public static readonly TimeSpan DefaultInterval = TimeSpan.FromSeconds(1);

    private const int Samples = 9;
    private static readonly TimeSpan LeastPause = TimeSpan.FromMilliseconds(20);

    /// <summary>How long the processes of all workers may be read in one look.</summary>
    private static readonly TimeSpan ProcessTime = TimeSpan.FromSeconds(2);

    private static readonly object Owner = new();

    private readonly IReadOnlyList<ListenerSubject> _listeners;
    private readonly IReadOnlyList<WorkerSubject> _workers;
    private readonly TimeProvider _time;
    private readonly long _started;

    private KernelExamination(IReadOnlyList<ListenerSubject> listeners, TimeProvider time)
    {
        _listeners = listeners;
        _workers = [.. listeners.SelectMany(listener => listener.Workers).DistinctBy(worker => worker.Pid)];
        _time = time;
        _started = time.GetTimestamp();
    }

    /// <summary>Examines the listeners for <paramref name="interval"/>.</summary>
    /// <param name="listeners">The listeners.</param>
    /// <param name="interval">The time between the two looks.</param>
    /// <param name="time">The clock.</param>
    /// <param name="isSame">Which of the workers, by main process, are still the same after the second look; null: all.</param>
    /// <param name="end">Ends it early.</param>
    public static async Task<DiagnosisReport> RunAsync(
        IReadOnlyList<ListenerSubject> listeners, TimeSpan interval, TimeProvider time, Func<Task<IReadOnlySet<int>>>? isSame,
        CancellationToken end)
    {
        var examination = new KernelExamination(listeners, time);
        var first = await ProbeThreads.Shared.RunAsync(Owner, () => examination.Look(isSecond: false));
        var between = new List<IReadOnlyDictionary<ulong, SocketSample>>();
        var pause = interval / (Samples + 1);
        while (first.At + interval - examination.Now is var left && left > TimeSpan.Zero)
        {
            var isLast = left < pause + LeastPause;
            await Task.Delay(isLast ? left : pause < LeastPause ? LeastPause : pause, time, end);
            if (!isLast)
            {
                between.Add(await ProbeThreads.Shared.RunAsync(Owner, examination.SampleSockets));
            }
        }

        var second = await ProbeThreads.Shared.RunAsync(Owner, () => examination.Look(isSecond: true));
        if (isSame is not null)
        {
            // Nobody else gets the process id of a worker before the daemon has reaped it.
            var same = await isSame();
            second = second with { Workers = second.Workers.Where(pair => same.Contains(pair.Key)).ToDictionary() };
        }

        return DiagnosisReport.Of(listeners, first, second, between);
    }

    private TimeSpan Now => _time.GetElapsedTime(_started);

    private IReadOnlyDictionary<ulong, SocketSample> SampleSockets()
    {
        var dump = new SocketDump(_listeners);
        dump.Read(withConnections: false);
        return dump.Sockets;
    }

    private KernelLook Look(bool isSecond)
    {
        var at = Now;
        var until = Stopwatch.GetTimestamp() + (long)(ProcessTime.TotalSeconds * Stopwatch.Frequency);
        var dump = new SocketDump(_listeners);
        dump.Read(withConnections: true);
        var workers = _workers.ToDictionary(
            worker => worker.Pid, worker => isSecond ? WorkerReader.ReadAll(worker, until) : WorkerReader.ReadUsage(worker, until));
        if (isSecond)
        {
            ReadAwaited(dump, workers, until);
        }

        return new KernelLook
        {
            At = at,
            Sockets = dump.Sockets,
            Connections = dump.Connections,
            HalfOpen = dump.HalfOpen,
            Workers = workers,
            Host = HostReader.Read(),
            Unexamined = dump.Unexamined,
        };
    }

    /// <summary>Which shards the workers wait for, of listeners where something waits in one.</summary>
    private void ReadAwaited(SocketDump dump, Dictionary<int, WorkerSample> workers, long until)
    {
        foreach (var listener in _listeners.Where(listener => listener.Sockets.Count > 1
            && listener.Sockets.Any(socket => dump.Sockets.GetValueOrDefault(socket.Inode).Length > 0)))
        {
            var inodes = listener.Sockets.Select(socket => socket.Inode).ToArray();
            foreach (var worker in listener.Workers)
            {
                workers[worker.Pid] = workers[worker.Pid] with
                {
                    Awaited = worker.Roots.SelectMany(root => AcceptProbe.Awaited(root, inodes, until)).ToHashSet(),
                };
            }
        }
    }
}
