using System.Collections.Immutable;
using Supervisor.Core.Workers;
using Supervisor.Native;

namespace Supervisor.Linux.Kernel;

/// <summary>
/// Reads a process's identity and ancestors. The process's user can make this walk through /proc slow: never on the loop.
/// </summary>
internal static class LineageReader
{
    /// <summary>How many ancestors are followed.</summary>
    private const int MaxDepth = 64;

    /// <summary>How often a chain that changes during the walk is read again.</summary>
    private const int MaxAttempts = 8;

    /// <summary>
    /// The process's user and ancestors; null if it has exited or changes too fast. <paramref name="pidfd"/> was opened before
    /// and the process still runs afterwards, so nothing was read from another process with a reused id. <paramref name="uid"/>
    /// is the user that the kernel reported elsewhere (SO_PEERCRED), or null.
    /// </summary>
    public static ProcessLineage? Read(int pid, DescriptorHandle pidfd, uint? uid)
    {
        uid ??= ProcFile.UsersOf(pid)?.Effective;
        var cgroup = ProcFile.CgroupOf(pid);
        var chain = Chain(pid);
        for (var attempt = 0; chain.Length > 0; attempt++)
        {
            // A parent can exit and its id be reused between two steps, so two walks must give the same result.
            var again = Chain(pid);
            if (again.AsSpan().SequenceEqual(chain.AsSpan()))
            {
                break;
            }

            if (attempt == MaxAttempts)
            {
                return null;
            }

            chain = again;
        }

        return uid is { } user && chain.Length > 0 && Processes.IsThere(pidfd)
            ? new ProcessLineage(chain, user, cgroup, chain[^1].ParentPid == Processes.CurrentPid)
            : null;
    }

    /// <summary>
    /// As <see cref="Read"/>, with the token of the topmost ancestor if that is a child of the daemon which the daemon did not
    /// spawn.
    /// </summary>
    public static async Task<ProcessLineage?> ReadWithTokenAsync(int pid, DescriptorHandle pidfd, Func<int, bool> isSpawned)
    {
        var lineage = Read(pid, pidfd, null);
        if (lineage is not { IsBelowDaemon: true }
            || isSpawned(lineage.Top.Pid)
            || ProcFile.UsersOf(lineage.Top.Pid)?.Effective != lineage.Uid)
        {
            return lineage;
        }

        var values = await ProcessEnvironment.ReadAsync(lineage.Top.Pid, lineage.Uid, WorkerTokens.Variable).ConfigureAwait(false);
        return Processes.IsThere(pidfd) && ProcFile.Read(lineage.Top.Pid)?.StartTime == lineage.Top.StartTime
            ? lineage with { Token = values[0] }
            : null;
    }

    private static ImmutableArray<ProcessStep> Chain(int pid)
    {
        var chain = ImmutableArray.CreateBuilder<ProcessStep>();
        while (chain.Count < MaxDepth && pid > 0 && ProcFile.Read(pid) is { } process)
        {
            chain.Add(new ProcessStep(pid, process.ParentPid, process.SessionId, process.StartTime));
            pid = process.ParentPid;
            if (pid == Processes.CurrentPid || pid == 1)
            {
                break;
            }
        }

        return chain.ToImmutable();
    }
}
