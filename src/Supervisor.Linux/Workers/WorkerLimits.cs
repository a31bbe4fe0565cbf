using System.Globalization;
using Supervisor.Core.Services;
using Supervisor.Core.State;
using Supervisor.Linux.Cgroups;

namespace Supervisor.Linux.Workers;

/// <summary>
/// The limits of a service's workers: prepares their cgroups, follows a change of the limits, and reports when the kernel enforces
/// them. Lives on the loop.
/// </summary>
internal sealed class WorkerLimits(ServiceContext service) : IDisposable
{
    /// <summary>The shortest time between two reports that a worker is slowed down by limits.memory_high.</summary>
    private static readonly TimeSpan HighInterval = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, LimitRefusal> _refused = new(StringComparer.Ordinal);
    private readonly Dictionary<int, Watch> _watches = [];
    private readonly HashSet<int> _changing = [];
    private readonly List<ReportEffect> _lost = [];
    private bool _isPreparing;
    private bool _isUsed;

    /// <summary>The limits of the present specification that are not in force, by their settings.</summary>
    public IReadOnlyDictionary<string, LimitRefusal> Refused => _refused;

    private LimitedCgroups? Cgroups => service.Spawner.Limited;

    /// <summary>Whether a worker with these limits can be spawned now, perhaps without them; if not: <see cref="Prepare"/>.</summary>
    public bool IsPrepared(CgroupLimits limits) => limits.IsEmpty || Cgroups?.IsPrepared(limits.Controllers) != false;

    /// <summary>Prepares the cgroups of workers with these limits, and calls back on the loop, perhaps before this returns.</summary>
    public void Prepare(CgroupLimits limits, Action onPrepared) => Cgroups!.Prepare(limits.Controllers, onPrepared);

    /// <summary>A worker has been spawned: reports the limits that it does not have, and watches its memory.</summary>
    public void Spawned(int workerId, WorkerProcess process, CgroupLimits wanted)
    {
        Note(wanted, process.RefusedLimits);
        Begin(workerId, process);
    }

    /// <summary>A worker of a previous daemon continues.</summary>
    public void Adopted(WorkerProcess process) => _isUsed |= !process.Limits.IsEmpty;

    /// <summary>
    /// A worker has exited while no daemon ran: whether the kernel killed it for lack of memory. Its cgroup remains until a worker starts.
    /// </summary>
    /// <returns>The cause for its exit reason; null if memory was not the cause.</returns>
    public string? Lost(WorkerState worker, WorkerEntry entry)
    {
        if (entry.Cgroup is not { } cgroup || !entry.Controllers.HasFlag(CgroupController.Memory)
            || MemoryEventCounts.Read(cgroup) is not { } counts || counts.Kills <= entry.OomKills)
        {
            return null;
        }

        _lost.Add(Killed(worker with { Pid = entry.Pid }, cgroup, entry.Limits, counts));
        return Cause(entry.Limits);
    }

    /// <summary>Reports what <see cref="Lost"/> has found.</summary>
    public void ReportLost()
    {
        _lost.ForEach(Report);
        _lost.Clear();
    }

    /// <summary>Follows a change of the service: what can be changed in running workers is, and other workers are replaced.</summary>
    public void Update()
    {
        if (!_isUsed && service.State.Specs.Values.All(static spec => spec.Cgroup.IsEmpty))
        {
            return;
        }

        _isUsed = true;
        foreach (var id in _watches.Keys.Where(id => !service.Processes.ContainsKey(id)).ToArray())
        {
            _watches.Remove(id, out var watch);
            watch!.Dispose();
        }

        if (service.State.Spec.Cgroup.IsEmpty)
        {
            _refused.Clear();
        }

        foreach (var worker in service.State.Workers)
        {
            if (worker.IsLive && service.Processes.TryGetValue(worker.Id, out var process) && !process.IsEnding)
            {
                Follow(worker, process, service.State.SpecOf(worker.Generation).Cgroup);
            }
        }
    }

    /// <summary>A worker's main process has exited: whether the kernel killed it for lack of memory is known now.</summary>
    /// <returns>The cause for its exit reason; null if memory was not the cause.</returns>
    public string? Ended(int workerId, WorkerProcess process) => Check(workerId, process);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var watch in _watches.Values)
        {
            watch.Dispose();
        }

        _watches.Clear();
    }

    private void Follow(WorkerState worker, WorkerProcess process, CgroupLimits wanted)
    {
        if (wanted == process.WantedLimits || _changing.Contains(worker.Id))
        {
            Begin(worker.Id, process);
            return;
        }

        if ((wanted.Controllers & ~process.Controllers) != CgroupController.None)
        {
            if (worker.Phase == WorkerPhase.Ready && !IsPrepared(wanted))
            {
                PrepareOnce(wanted);
            }
            else if (worker.Phase == WorkerPhase.Ready)
            {
                Replace(worker, process, wanted);
            }

            return;
        }

        if (process.Controllers == CgroupController.None)
        {
            process.WantedLimits = wanted;
            return;
        }

        // Writing memory.max makes the kernel reclaim memory, which takes its time.
        _changing.Add(worker.Id);
        var (directory, before) = (process.Cgroup!.Path, process.Limits);
        Task.Run(() => Change(directory, before, wanted)).ContinueWith(
            changed => service.Loop.Post(() => Changed(worker.Id, process, wanted, changed.Result)), TaskScheduler.Default);
    }

    private void PrepareOnce(CgroupLimits wanted)
    {
        if (!_isPreparing)
        {
            _isPreparing = true;
            Prepare(wanted, () =>
            {
                _isPreparing = false;
                Update();
            });
        }
    }

    /// <summary>A worker without the needed controllers is replaced by one that has them, unless they cannot be enabled.</summary>
    private void Replace(WorkerState worker, WorkerProcess process, CgroupLimits wanted)
    {
        process.WantedLimits = wanted;
        var refused = CgroupLimits.All.Where(limit => limit.Spelled(wanted) is not null)
            .Select(limit => (Limit: limit, Why: Cgroups?.RefusalOf(limit.Controller))).Where(one => one.Why is not null)
            .Select(one => KeyValuePair.Create(one.Limit, one.Why!)).ToArray();
        Note(wanted, refused);
        if (Cgroups is { } cgroups && (wanted.Controllers & cgroups.Enabled & ~process.Controllers) != CgroupController.None)
        {
            service.Post(new WorkerDue(worker.Id, ReplacementCause.Limits, "was started without the cgroup that limits needs"));
        }
    }

    /// <summary>Off the loop. The bytes are set if memory_max is not changed, because the worker uses more already.</summary>
    private static (CgroupLimits InForce, IReadOnlyList<KeyValuePair<CgroupLimit, LimitRefusal>> Refused, long? Used) Change(
        string directory, CgroupLimits before, CgroupLimits wanted)
    {
        var used = wanted.MemoryMax is null ? null : WorkerCgroup.Memory(directory);
        var isLarger = used > wanted.MemoryMax && (before.MemoryMax is null || before.MemoryMax > wanted.MemoryMax);
        var (inForce, refused) = CgroupLimitFiles.Apply(
            directory, before, isLarger ? wanted with { MemoryMax = before.MemoryMax } : wanted);
        return (inForce, refused, isLarger ? used : null);
    }

    private void Changed(
        int workerId, WorkerProcess process, CgroupLimits wanted,
        (CgroupLimits InForce, IReadOnlyList<KeyValuePair<CgroupLimit, LimitRefusal>> Refused, long? Used) changed)
    {
        _changing.Remove(workerId);
        (process.Limits, process.WantedLimits) = (changed.InForce, wanted);
        if (service.Processes.GetValueOrDefault(workerId) != process || process.IsEnding)
        {
            return;
        }

        Note(wanted, changed.Refused);
        service.Note(isUrgent: false);
        if (changed.Used is { } used)
        {
            service.Post(new WorkerDue(workerId, ReplacementCause.Limits, string.Create(
                CultureInfo.InvariantCulture,
                $"uses {MemoryText.Of(used)} of memory, more than the new limits.memory_max ({MemoryText.Of(wanted.MemoryMax!.Value)})")));
        }

        Update();
    }

    /// <summary>Keeps why limits are not in force, and reports each reason once.</summary>
    private void Note(CgroupLimits wanted, IReadOnlyList<KeyValuePair<CgroupLimit, LimitRefusal>> refused)
    {
        if (_refused.Count == 0 && refused.Count == 0)
        {
            return;
        }

        foreach (var limit in CgroupLimits.All.Where(limit => refused.All(one => one.Key != limit)))
        {
            _refused.Remove(limit.Setting);
        }

        foreach (var (limit, why) in refused)
        {
            var isNew = _refused.GetValueOrDefault(limit.Setting) is not { } known || known != why;
            _refused[limit.Setting] = why;
            if (isNew)
            {
                Report(new ReportEffect(
                    ServiceReport.LimitRefused, null, null, null, $"{limit.Setting} ({limit.Spelled(wanted)}) is not in force: {why}"));
            }
        }
    }

    private void Begin(int workerId, WorkerProcess process)
    {
        if (process.Cgroup is { } cgroup && process.Limits is { MemoryMax: not null } or { MemoryHigh: not null }
            && !_watches.ContainsKey(workerId)
            && Cgroups?.Events.Watch(process.Cgroup.Path, () => Check(workerId, process)) is { } watching)
        {
            _watches.Add(workerId, new Watch(watching) { High = MemoryEventCounts.Read(cgroup.Path)?.High ?? 0 });
        }
    }

    private string? Check(int workerId, WorkerProcess process)
    {
        if (!process.Controllers.HasFlag(CgroupController.Memory) || service.Worker(workerId) is not { } worker
            || MemoryEventCounts.Read(process.Cgroup!.Path) is not { } counts)
        {
            return null;
        }

        ReportHigh(worker, process, counts);
        if (counts.Kills <= process.OomKills)
        {
            return null;
        }

        process.OomKills = counts.Kills;
        Report(Killed(worker with { Pid = process.Pid }, process.Cgroup.Path, process.Limits, counts));
        return Cause(process.Limits);
    }

    private static ReportEffect Killed(WorkerState worker, string cgroup, CgroupLimits limits, MemoryEventCounts counts)
    {
        var peak = WorkerCgroup.MemoryPeak(cgroup) is { } most ? $"its peak was {MemoryText.Of(most)}" : "its peak is unknown";
        var cause = counts.Limited > 0 ? "the kernel killed it" : "the kernel killed it because the host or a cgroup above has no memory";
        return new ReportEffect(
            ServiceReport.WorkerOutOfMemory, worker, null, null, $"out of memory: {cause}; {peak}, {MaxText(limits)}");
    }

    private static string Cause(CgroupLimits limits) => $"out of memory ({MaxText(limits)})";

    private static string MaxText(CgroupLimits limits) =>
        limits.MemoryMax is { } max ? $"limits.memory_max is {MemoryText.Of(max)}" : "it has no limits.memory_max";

    private void ReportHigh(WorkerState worker, WorkerProcess process, MemoryEventCounts counts)
    {
        if (!_watches.TryGetValue(worker.Id, out var watch) || counts.High <= watch.High || process.Limits.MemoryHigh is not { } high)
        {
            return;
        }

        var times = counts.High - watch.High;
        if (watch.ReportedAt + HighInterval > service.Loop.Now)
        {
            return;
        }

        (watch.High, watch.ReportedAt) = (counts.High, service.Loop.Now);
        Report(new ReportEffect(
            ServiceReport.WorkerMemoryHigh, worker, null, null, string.Create(
                CultureInfo.InvariantCulture,
                $"uses more than limits.memory_high ({MemoryText.Of(high)}): the kernel slowed it down {times} times")));
    }

    private void Report(ReportEffect report)
    {
        service.Log.Report(report, service.State, service.Loop.Now);
        service.Report(report);
    }

    /// <summary>The watch of one worker's memory.</summary>
    private sealed class Watch(IDisposable watching) : IDisposable
    {
        public long High { get; set; }

        public TimeSpan? ReportedAt { get; set; }

        public void Dispose() => watching.Dispose();
    }
}
