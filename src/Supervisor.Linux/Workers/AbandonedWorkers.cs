using Supervisor.Core.Services;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>
/// The workers of a service that the daemon continues without, because they do not exit after SIGKILL. They are shown until they
/// exit. Lives on the loop.
/// </summary>
public sealed class AbandonedWorkers
{
    private const int MostProcesses = 64;

    private readonly ServiceContext _service;
    private readonly List<Entry> _entries = [];

    internal AbandonedWorkers(ServiceContext service) => _service = service;

    /// <summary>The processes that still live, oldest first.</summary>
    public IEnumerable<(WorkerState Worker, string Why, StuckProcess Process, DateTimeOffset Since)> All =>
        _entries.Select(entry => (entry.Worker, entry.Why, entry.Process, entry.Since));

    /// <summary>Shows the processes of a worker until they exit. The reaper of orphans reaps them.</summary>
    internal void Add(WorkerState worker, string why, IReadOnlyList<StuckProcess> stuck)
    {
        foreach (var process in stuck.Take(MostProcesses - _entries.Count))
        {
            if (Processes.OpenPidfd(process.Pid, out _) is not { } pidfd)
            {
                continue;
            }

            var entry = new Entry(worker, why, process, _service.Loop.Time.GetUtcNow(), pidfd);
            _entries.Add(entry);
            _service.Loop.Watch(pidfd, () =>
            {
                Remove(entry);
                _service.Report();
            });
        }
    }

    /// <summary>Closes the pidfds.</summary>
    internal void Clear()
    {
        foreach (var entry in _entries.ToArray())
        {
            Remove(entry);
        }
    }

    private void Remove(Entry entry)
    {
        _entries.Remove(entry);
        _service.Loop.Unwatch(entry.Pidfd);
        entry.Pidfd.Dispose();
    }

    private sealed record Entry(WorkerState Worker, string Why, StuckProcess Process, DateTimeOffset Since, DescriptorHandle Pidfd);
}
