using Supervisor.Core.Services;

namespace Supervisor.Linux.Workers;

/// <summary>
/// Watches the workers that serve: <c>liveness</c> and <c>recycle.max_memory</c>. Without one of the two there is no watch. Lives on
/// the loop.
/// </summary>
internal sealed class WorkerHealth(ServiceContext service) : IDisposable
{
    private readonly Dictionary<int, Watches> _watches = [];
    private readonly List<LivenessRecord> _records = [];

    /// <summary>That no worker has passed <c>liveness</c>; null if one has, or none has failed.</summary>
    public string? NeverPassed => _records.Find(record => record.NeverPassed is not null)?.NeverPassed;

    /// <summary>Begins and ends watches after a change of the service.</summary>
    public void Update()
    {
        var state = service.State;
        _records.RemoveAll(record => state is { IsStarted: false, Workers.IsEmpty: true }
            || !state.Specs.Values.Any(spec => spec.Liveness.Probe == record.Condition));
        if (_watches.Count == 0 && !state.Specs.Values.Any(IsWatched))
        {
            return;
        }

        foreach (var (id, watches) in _watches.ToArray())
        {
            if (service.Worker(id) is not { Phase: WorkerPhase.Ready } worker || !watches.AreOf(state.SpecOf(worker.Generation)))
            {
                watches.Dispose();
                _watches.Remove(id);
            }
        }

        foreach (var worker in state.Workers.Where(worker => worker.Phase == WorkerPhase.Ready && !_watches.ContainsKey(worker.Id)))
        {
            if (state.SpecOf(worker.Generation) is var spec && IsWatched(spec) && service.Processes.TryGetValue(worker.Id, out var process))
            {
                _watches.Add(worker.Id, Begin(worker, process, spec));
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var watches in _watches.Values)
        {
            watches.Dispose();
        }

        _watches.Clear();
    }

    private static bool IsWatched(ServiceSpec spec) => spec.Liveness.Probe is not null || spec.Recycle.MaxMemory > 0;

    private Watches Begin(WorkerState worker, WorkerProcess process, ServiceSpec spec)
    {
        LivenessWatch? liveness = null;
        if (spec.Liveness.Probe is { } probe && service.Probes.Of(worker, process, probe, spec.Liveness.Timeout) is { } made)
        {
            var record = RecordOf(probe);
            liveness = new LivenessWatch(
                service.Loop, service, () => process.Pid, spec.Liveness, service.Demand.BeginProbeAsync, record.Pass,
                (cause, text) => Fail(worker, record, cause, text));
            liveness.Begin(made);
        }

        var limit = spec.Recycle.MemoryOf(worker.Id);
        var memory = spec.Recycle.MaxMemory == 0 ? null : new MemoryWatch(
            service.Loop, service, () => process.Pid, process.Cgroup?.Path, limit, used => service.Post(new WorkerDue(
                worker.Id, ReplacementCause.Memory,
                $"uses {MemoryText.Of(used)} of memory, and recycle.max_memory is {MemoryText.Of(limit)} for it")));
        return new Watches(spec, liveness, memory);
    }

    private LivenessRecord RecordOf(Readiness condition)
    {
        if (_records.Find(record => record.Condition == condition) is { } known)
        {
            return known;
        }

        var made = new LivenessRecord(condition, service.Loop.Time.GetUtcNow());
        _records.Add(made);
        return made;
    }

    private void Fail(WorkerState worker, LivenessRecord record, ReplacementCause cause, string text)
    {
        // A worker whose replacement is under way continues to fail: that is not another replacement.
        if (service.Worker(worker.Id) is not { CanBeDue: true })
        {
            service.Post(new WorkerDue(worker.Id, cause, text));
            return;
        }

        var canWait = cause == ReplacementCause.Unhealthy;
        var isDue = record.Fail(text, canWait, service.State.SpecOf(worker.Generation).Restart, service.Loop.Now, out var isNew);
        if (isNew)
        {
            var report = new ReportEffect(ServiceReport.ProbeNeverPassed, null, null, null, record.NeverPassed!);
            service.Log.Report(report, service.State, service.Loop.Now);
            service.Report(report);
        }

        if (isDue)
        {
            service.Post(new WorkerDue(worker.Id, cause, text));
        }
    }

    private sealed record Watches(ServiceSpec Spec, LivenessWatch? Liveness, MemoryWatch? Memory) : IDisposable
    {
        public bool AreOf(ServiceSpec spec) => Spec.Liveness == spec.Liveness && Spec.Recycle == spec.Recycle;

        public void Dispose()
        {
            Liveness?.Dispose();
            Memory?.Dispose();
        }
    }
}
