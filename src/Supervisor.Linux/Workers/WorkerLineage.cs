using Supervisor.Core.Workers;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>
/// Finds out beside the loop whether processes belong to a worker: senders of messages, and orphans of its first
/// process.
/// </summary>
internal sealed class WorkerLineage(ServiceContext service)
{
    private readonly SerialQueue _questions = new(service.Loop);

    /// <summary>How many senders a worker's end waits for to be looked at.</summary>
    private const int MostLastLooks = 8;

    /// <summary>Whether a process is the worker's, as far as one call tells; null where it has to be looked at.</summary>
    public static bool? Knows(WorkerProcess process, int pid) => process.Knows(pid) ?? (process.LastLooks < MostLastLooks ? null : false);

    /// <summary>
    /// Finds out off the loop whether a process is the worker's, for its next message; nothing comes of it where the
    /// worker has ended by then.
    /// </summary>
    public void Identify(int workerId, WorkerProcess process, int pid, Action onSeen)
    {
        process.IsLooking = true;
        _questions.Enqueue<ProcessLineage>(
            process.Uid,
            () => async () =>
            {
                using var pidfd = Processes.OpenPidfd(pid, out _);
                return pidfd is null ? null : await LineageReader.ReadWithTokenAsync(pid, pidfd, IsSpawned).ConfigureAwait(false);
            },
            lineage =>
            {
                process.IsLooking = false;
                if (service.Processes.GetValueOrDefault(workerId) == process && !process.IsEnding)
                {
                    process.Notify.Resume();
                    process.Known[pid] = (lineage?.Chain[0].StartTime ?? 0, lineage is not null && process.Owns(lineage));
                    if (process.EndWaits)
                    {
                        service.Ending.Continue(workerId, process);
                    }
                    else
                    {
                        onSeen();
                    }
                }
            });
    }

    /// <summary>
    /// Looks beside the loop whether anybody of the worker is left whose parent is gone; asked again meanwhile, it
    /// looks again.
    /// </summary>
    public void FindOrphans(int workerId, WorkerProcess process, Action<bool> onSeen)
    {
        if (process.OrphanLook.IsUnderWay)
        {
            process.OrphanLook = (true, true);
            return;
        }

        process.OrphanLook = (true, false);
        var facts = process.Facts;
        var cgroup = process.Cgroup?.Path;
        _questions.Enqueue<WorkerProcess>(
            process.Uid,
            () => async () => await OrphanLook.AnyAsync(facts, process.Session, cgroup, IsSpawned).ConfigureAwait(false) ? process : null,
            found =>
            {
                var isOutdated = process.OrphanLook.IsOutdated;
                process.OrphanLook = default;
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
