using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Supervisor.Core.Workers;

/// <summary>
/// Whether a process belongs to a worker, by facts from the kernel: cgroup, session, parents, user id. The worker's token
/// decides if a daemon that forked twice has none of these. Pure.
/// </summary>
public static class Membership
{
    /// <summary>Whether the process is the worker's by facts that no process can choose.</summary>
    public static bool IsMember(WorkerFacts worker, ProcessLineage process)
    {
        if (worker.Cgroup is { } cgroup)
        {
            // A process can leave its session and its parents, but not its cgroup: no other fact counts.
            return process.Cgroup is { } own && own.StartsWith(cgroup, StringComparison.Ordinal)
                && (own.Length == cgroup.Length || own[cgroup.Length] == '/');
        }

        // A set-user-id program that a worker starts has another user; the main process may have changed its user.
        var isEqualUser = process.Uid == worker.Uid;
        for (var i = 0; i < process.Chain.Length; i++)
        {
            var step = process.Chain[i];
            if (IsProcess(worker, step))
            {
                return i == 0 || isEqualUser;
            }

            if (IsOfSession(worker, step))
            {
                return isEqualUser;
            }
        }

        return false;
    }

    /// <summary>
    /// Whether the process is the worker's by its token. Only without a cgroup, for the worker's user, and for a descendant of
    /// a child of the daemon: orphans of workers become its children.
    /// </summary>
    public static bool IsMemberByToken(WorkerFacts worker, ProcessLineage process, string? token) =>
        worker.Cgroup is null && process.Uid == worker.Uid && (process.IsBelowDaemon || worker.IsForeign) && AreEqual(worker.Token, token);

    /// <summary>
    /// Whether a process with that start time may descend from the worker: a descendant is never older. True if that is
    /// unknown.
    /// </summary>
    public static bool MayDescend(WorkerFacts worker, ulong startTime) => worker.FirstStart == 0 || startTime >= worker.FirstStart;

    /// <summary>
    /// Whether two tokens are the same, in a time that does not depend on the difference; an empty token equals none.
    /// </summary>
    public static bool AreEqual(string one, string? other) => one.Length > 0 && other is not null
        && CryptographicOperations.FixedTimeEquals(MemoryMarshal.AsBytes(one.AsSpan()), MemoryMarshal.AsBytes(other.AsSpan()));

    private static bool IsProcess(WorkerFacts worker, ProcessStep step) =>
        (step.Pid == worker.Main && Is(worker.MainStart, step)) || (step.Pid == worker.First && Is(worker.FirstStart, step));

    // The kernel reuses the number of an empty session: a process older than the worker belongs to an earlier one.
    private static bool IsOfSession(WorkerFacts worker, ProcessStep step) => step.SessionId != 0
        && (step.SessionId == worker.Session || step.SessionId == worker.MainSession)
        && MayDescend(worker, step.StartTime);

    private static bool Is(ulong known, ProcessStep step) => step.Pid != 0 && (known == 0 || known == step.StartTime);
}
