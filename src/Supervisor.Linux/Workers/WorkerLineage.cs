using Supervisor.Core.Workers;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>
/// Finds out off the loop whether processes belong to a worker: senders of messages, and orphans of its first process.
/// </summary>
internal sealed class WorkerLineage(ServiceContext service)
{
    private readonly SerialQueue _questions = new(service.Loop);

    /// <summary>How many senders are examined before a worker's exit is handled without the rest.</summary>
    private const int MostExaminations = 8;

    /// <summary>Whether a process is the worker's, as far as one system call shows; null if it has to be examined.</summary>
    public static bool? Knows(WorkerProcess process, int pid) =>
        process.Knows(pid) ?? (process.Examinations < MostExaminations ? null : false);

    /// <summary>
    /// Examines a process off the loop for the worker's next messages. The result is dropped if the worker has exited by then.
    /// </summary>
    public void Identify(int workerId, WorkerProcess process, int pid, Action onSeen)
    {
        process.IsExamining = true;
        DescriptorHandle? pidfd = null;
        _questions.Enqueue<ProcessLineage>(
            process.Uid,
            () =>
            {
                pidfd = Processes.OpenPidfd(pid, out _);
                return async () => pidfd is null
                    ? null
                    : await LineageReader.ReadWithTokenAsync(pid, pidfd, IsSpawned).ConfigureAwait(false);
            },
            lineage =>
            {
                process.IsExamining = false;
                if (service.Processes.GetValueOrDefault(workerId) == process && !process.IsEnding)
                {
                    process.Notify?.Resume();
                    process.Examined.Add(pid, pidfd, lineage is not null && process.Owns(lineage));
                    if (process.EndWaits)
                    {
                        service.Ending.Continue(workerId, process);
                    }
                    else
                    {
                        onSeen();
                    }
                }
                else
                {
                    pidfd?.Dispose();
                }
            });
    }

    /// <summary>
    /// Searches off the loop for remaining processes of the worker whose parent has exited. A call during a search causes
    /// another search.
    /// </summary>
    public void FindOrphans(int workerId, WorkerProcess process, Action<bool> onSeen)
    {
        if (process.OrphanSearch.IsUnderWay)
        {
            process.OrphanSearch = (true, true);
            return;
        }

        process.OrphanSearch = (true, false);
        var facts = process.Facts;
        var cgroup = process.Cgroup?.Path;
        _questions.Enqueue<WorkerProcess>(
            process.Uid,
            () => async () => await OrphanSearch.AnyAsync(facts, process.Session, cgroup, IsSpawned).ConfigureAwait(false) ? process : null,
            found =>
            {
                var isOutdated = process.OrphanSearch.IsOutdated;
                process.OrphanSearch = default;
                if (service.Processes.GetValueOrDefault(workerId) != process || process.IsEnding)
                {
                    return;
                }

                if (isOutdated && found is not null)
                {
                    FindOrphans(workerId, process, onSeen);
                }
                else
                {
                    onSeen(found is not null);
                }
            });
    }

    private bool IsSpawned(int pid) => service.Orphans?.IsOwn(pid) == true;
}
