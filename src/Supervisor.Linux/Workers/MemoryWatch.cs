using System.Globalization;
using Supervisor.Linux.Cgroups;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Probes;

namespace Supervisor.Linux.Workers;

/// <summary>
/// Looks how much memory one worker uses, as long as it serves (<c>recycle.max_memory</c>). The kernel reports no threshold of a
/// process, so this asks every <see cref="Interval"/>. Runs off the loop.
/// </summary>
internal sealed class MemoryWatch : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _end = new();

    /// <summary>
    /// Calls <paramref name="onExceeded"/> on the loop with the bytes whenever a worker uses more than <paramref name="limit"/>.
    /// </summary>
    public MemoryWatch(EventLoop loop, object owner, Func<int> pid, string? cgroup, long limit, Action<long> onExceeded) =>
        _ = Task.Run(() => RunAsync(loop, owner, pid, cgroup, limit, onExceeded, _end.Token));

    /// <inheritdoc/>
    public void Dispose() => _end.Cancel();

    private static async Task RunAsync(
        EventLoop loop, object owner, Func<int> pid, string? cgroup, long limit, Action<long> onExceeded, CancellationToken end)
    {
        try
        {
            while (true)
            {
                await Task.Delay(Interval, loop.Time, end);
                var used = await ProbeThreads.Shared.RunAsync(owner, () => cgroup is null ? Resident(pid()) : WorkerCgroup.Memory(cgroup));
                if (used > limit)
                {
                    loop.Post(() =>
                    {
                        if (!end.IsCancellationRequested)
                        {
                            onExceeded(used.Value);
                        }
                    });
                }
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or ProbeThreads.StuckException)
        {
            // The worker no longer serves, or its memory cannot be read.
        }
    }

    /// <summary>The resident memory of a process and its descendants in bytes: /proc/PID/statm, proc_pid_statm(5).</summary>
    private static long? Resident(int root)
    {
        long pages = 0;
        foreach (var pid in WorkerTree.Of(root))
        {
            try
            {
                var fields = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/statm")).Split(' ');
                pages += fields.Length > 1 ? long.Parse(fields[1], NumberStyles.None, CultureInfo.InvariantCulture) : 0;
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // The process has exited.
            }
        }

        return pages * Environment.SystemPageSize;
    }
}
