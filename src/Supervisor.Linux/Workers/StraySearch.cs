using Supervisor.Core.Workers;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>Finds processes that left the session of their worker, on the thread of the <see cref="Sweeper"/>.</summary>
internal sealed class StraySearch(EventLoop loop, OrphanReaper orphans)
{
    /// <summary>The strays that are decided upon at a time, each with its pidfd.</summary>
    private const int MostStrays = 256;

    /// <summary>The children that are examined in one round.</summary>
    private const int MostChildren = 4096;

    /// <summary>How long the sweeper waits for the loop's decision.</summary>
    private static readonly TimeSpan LoopPatience = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Finds strays of workers without a cgroup, and lets the loop decide. A final sweep kills them, another one remembers those that are
    /// certain. Returns the sweeps that had some.
    /// </summary>
    public HashSet<Sweep> Decide(List<Sweep> sweeps)
    {
        var candidates = sweeps.Count == 0 ? [] : Candidates(sweeps);
        var hit = new HashSet<Sweep>();
        if (candidates.Count == 0)
        {
            return hit;
        }

        var decided = new ManualResetEventSlim(false, 0);
        var dying = new List<DescriptorHandle>();
        var known = new List<(Sweep Sweep, Stray Stray)>();
        loop.Post(() =>
        {
            foreach (var candidate in candidates)
            {
                if (orphans.FindSweep(candidate, sweeps) is { } sweep)
                {
                    hit.Add(sweep);
                    known.Add((sweep, candidate));
                    if (sweep.IsFinal && SignalDelivery.Send(candidate.Pidfd, candidate.Pid, KernelAbi.SIGKILL) is { } error)
                    {
                        sweep.OnRefused?.Invoke(candidate.Pid, error);
                    }

                    dying.Add(candidate.Pidfd);
                }
                else
                {
                    candidate.Pidfd.Dispose();
                }
            }

            decided.Set();
        });
        if (decided.Wait(LoopPatience))
        {
            foreach (var (sweep, stray) in known)
            {
                sweep.Known.Add((stray.Pid, stray.Process.StartTime));
            }

            Sweeper.AwaitDeaths(dying, sweeps.Exists(sweep => sweep.IsFinal));
            return hit;
        }

        // The loop has ended or hangs: a later decision is carried out there.
        return [];
    }

    private List<Stray> Candidates(List<Sweep> sweeps)
    {
        var users = sweeps.Select(sweep => sweep.Worker!.Uid).ToHashSet();
        var inodes = sweeps.SelectMany(sweep => sweep.Listeners.Keys).ToHashSet();
        var found = new List<Stray>();
        foreach (var pid in Orphans(sweeps).Where(pid => !orphans.IsKnown(pid)).Take(MostChildren))
        {
            if (found.Count == MostStrays)
            {
                break;
            }

            if (ProcFile.UsersOf(pid) is not { } ids || ids.Real != ids.Effective || ids.Effective != ids.Saved
                || !users.Contains(ids.Effective)
                || Processes.OpenPidfd(pid, out _) is not { } pidfd)
            {
                continue;
            }

            // A process that is older than all of these workers has not come from them, whoever its parent is.
            if (ProcFile.Read(pid) is { HasEnded: false } process
                && (process.ParentPid == Processes.CurrentPid
                    || sweeps.Exists(sweep => Membership.MayDescend(sweep.Worker!, process.StartTime)))
                && sweeps
                    .Where(sweep => sweep.Worker!.Uid == ids.Effective).Aggregate(false,
                        (isNew, sweep) => sweep.Decided.Add((pid, process.StartTime)) || isNew))
            {
                var isChild = process.ParentPid == Processes.CurrentPid;
                var token = ProcessEnvironment.ReadAsync(pid, ids.Effective, WorkerTokens.Variable).GetAwaiter().GetResult()[0];
                var held = new List<OpenFiles.Found>();
                if (isChild && inodes.Count > 0)
                {
                    OpenFiles.FindSocketsOf(pid, inodes, held);
                }

                if (Processes.IsThere(pidfd))
                {
                    found.Add(new Stray(pid, pidfd, process, ids.Effective, token, isChild, [.. held.Select(one => one.Inode).Distinct()],
                        ProcFile.Command(pid)));
                    continue;
                }
            }

            pidfd.Dispose();
        }

        return found;
    }

    /// <summary>
    /// The processes whose parents have exited, as far as they can have come from these workers: children of the daemon, and of the
    /// reaper of workers whose daemon has died. All processes, if that reaper is not known.
    /// </summary>
    private IEnumerable<int> Orphans(List<Sweep> sweeps)
    {
        var found = new List<int>(ProcFile.OwnChildren(child => !orphans.IsKnown(child)));
        foreach (var reaper in sweeps.Where(sweep => sweep.Worker!.IsForeign).Select(sweep => sweep.Reaper).Distinct())
        {
            if (reaper == 0 || ProcFile.ChildrenOf(reaper) is not { } children)
            {
                return ProcFile.All();
            }

            found.AddRange(children);
        }

        return found;
    }
}
