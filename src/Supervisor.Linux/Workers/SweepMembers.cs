using Supervisor.Linux.Cgroups;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Probes;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>
/// Finds the living processes of sweeps. All of them descend from the daemon, which is a subreaper: they are below a living process
/// of the worker, or below a child of the daemon that the daemon did not spawn. So no other process of the host is read. Not on the
/// loop.
/// </summary>
internal sealed class SweepMembers
{
    private readonly Dictionary<Sweep, Dictionary<int, ulong>> _found = [];
    private readonly Dictionary<int, Sweep> _bySession = [];

    private SweepMembers(IReadOnlyList<Sweep> sweeps)
    {
        foreach (var sweep in sweeps)
        {
            _found[sweep] = [];
            foreach (var session in sweep.Cgroup is null ? sweep.Sessions : [])
            {
                _bySession[session] = sweep;
            }
        }
    }

    /// <summary>The members of each sweep, with their start times; without its leaders.</summary>
    public static IReadOnlyDictionary<Sweep, Dictionary<int, ulong>> Find(IReadOnlyList<Sweep> sweeps, OrphanReaper orphans)
    {
        var members = new SweepMembers(sweeps);
        foreach (var sweep in sweeps)
        {
            if (sweep.Cgroup is { } cgroup)
            {
                members.Add(sweep, WorkerCgroup.Members(cgroup));
                continue;
            }

            foreach (var root in sweep.Roots)
            {
                members.Add(sweep, WorkerTree.Of(root));
            }

            members.Add(sweep, sweep.Known.Where(one => ProcFile.Read(one.Pid)?.StartTime == one.StartTime)
                .SelectMany(one => WorkerTree.Of(one.Pid)));
        }

        if (members._bySession.Count > 0)
        {
            members.AddOrphans(orphans);
        }

        return members._found;
    }

    private void AddOrphans(OrphanReaper orphans)
    {
        foreach (var orphan in ProcFile.OwnChildren(child => !orphans.IsKnown(child)))
        {
            foreach (var pid in WorkerTree.Of(orphan))
            {
                if (_bySession.TryGetValue(Processes.SessionOf(pid), out var sweep))
                {
                    Add(sweep, [pid]);
                }
            }
        }
    }

    private void Add(Sweep sweep, IEnumerable<int> pids)
    {
        foreach (var pid in pids.Where(pid => !sweep.Leaders.Contains(pid)))
        {
            if (ProcFile.Read(pid) is { HasEnded: false } process)
            {
                _found[sweep][pid] = process.StartTime;
            }
        }
    }
}
