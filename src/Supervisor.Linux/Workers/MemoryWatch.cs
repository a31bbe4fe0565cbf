using Supervisor.Linux.Cgroups;
using Supervisor.Linux.Kernel;

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
                var used = await ProbeThreads.Shared.RunAsync(
                    owner, () => cgroup is null ? ProcessUsage.Read([pid()])?.MemoryBytes : WorkerCgroup.Memory(cgroup));
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
}
