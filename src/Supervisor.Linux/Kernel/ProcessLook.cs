using System.Collections.Immutable;
using Supervisor.Core.Workers;
using Supervisor.Native;

namespace Supervisor.Linux.Kernel;

/// <summary>Reads who a process is. A walk through /proc that the process's user can make long: never on the loop.</summary>
internal static class ProcessLook
{
    /// <summary>How many parents are followed.</summary>
    private const int MaxDepth = 64;

    /// <summary>How often a chain that changes while it is read is read again.</summary>
    private const int MaxAttempts = 8;

    /// <summary>
    /// What the kernel says of the process; null where it has ended or changes too fast. <paramref name="pidfd"/> was opened
    /// before: the process still runs afterwards, so that nothing that was read is another one's with the same number.
    /// <paramref name="uid"/> is what the kernel said of it elsewhere (SO_PEERCRED), or null.
    /// </summary>
    public static ProcessLineage? Read(int pid, DescriptorHandle pidfd, uint? uid)
    {
        uid ??= ProcFile.UsersOf(pid)?.Effective;
        var cgroup = ProcFile.CgroupOf(pid);
        var chain = Chain(pid);
        for (var attempt = 0; chain.Length > 0; attempt++)
        {
            // A parent can exit and its number be given away between two steps: what two walks agree on held together.
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

    /// <summary>The same with the token of its topmost ancestor, where that is a child of the daemon which the daemon did not spawn itself.</summary>
    public static async Task<ProcessLineage?> ReadWithTokenAsync(int pid, DescriptorHandle pidfd, Func<int, bool> isSpawned)
    {
        var lineage = Read(pid, pidfd, null);
        if (lineage is not { IsBelowDaemon: true } || isSpawned(lineage.Top.Pid) || ProcFile.UsersOf(lineage.Top.Pid)?.Effective != lineage.Uid)
        {
            return lineage;
        }

        var values = await ProcessEnvironment.ReadAsync(lineage.Top.Pid, lineage.Uid, WorkerTokens.Variable).ConfigureAwait(false);
        return Processes.IsThere(pidfd) && ProcFile.Read(lineage.Top.Pid)?.StartTime == lineage.Top.StartTime ? lineage with { Token = values[0] } : null;
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
