using Supervisor.Core.Workers;
using Supervisor.Linux.Cgroups;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>Checks whether a worker's spawned process has left others behind. Never on the loop: there may be thousands.</summary>
internal static class OrphanSearch
{
    /// <summary>The most children whose token is read.</summary>
    private const int MostTokens = 256;

    /// <summary>
    /// Whether a process of the worker exists, other than <paramref name="first"/>. With a <paramref name="cgroup"/>, that is a
    /// member of it. Otherwise it is a child of the daemon that the daemon did not spawn: in the worker's session, or of its
    /// user and with its token.
    /// </summary>
    public static async Task<bool> AnyAsync(WorkerFacts worker, int first, string? cgroup, Func<int, bool> isSpawned)
    {
        if (cgroup is not null)
        {
            return WorkerCgroup.AnyMember(cgroup, first) != 0;
        }

        var others = new List<int>();
        foreach (var pid in ProcFile.OwnChildren(child => !isSpawned(child)))
        {
            if (ProcFile.Read(pid) is not { } process || process.ParentPid != Processes.CurrentPid)
            {
                continue;
            }

            if (process.SessionId != 0 && (process.SessionId == worker.Session || process.SessionId == worker.MainSession))
            {
                return true;
            }

            if (others.Count < MostTokens && Membership.MayDescend(worker, process.StartTime))
            {
                others.Add(pid);
            }
        }

        foreach (var pid in others)
        {
            if (ProcFile.UsersOf(pid)?.Effective == worker.Uid
                && Membership.AreEqual(worker.Token,
                    (await ProcessEnvironment.ReadAsync(pid, worker.Uid, WorkerTokens.Variable).ConfigureAwait(false))[0]))
            {
                return true;
            }
        }

        return false;
    }
}
