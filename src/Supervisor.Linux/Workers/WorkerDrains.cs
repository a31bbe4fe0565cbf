using Supervisor.Core.Services;
using Supervisor.Core.Workers;

namespace Supervisor.Linux.Workers;

/// <summary>The facts about the draining workers of one service.</summary>
public sealed class WorkerDrains : IDisposable
{
    private readonly ServiceContext _service;
    private readonly DrainWatch _watch;

    internal WorkerDrains(ServiceContext service)
    {
        _service = service;
        _watch = new DrainWatch(
            service.Loop, () => service.Generations.AllListeners,
            workerId => service.Processes.TryGetValue(workerId, out var process) ? process.Roots : [], Report, () => service.Report());
    }

    /// <summary>How many connections draining workers have, as far as known; null if nothing is known.</summary>
    public int? Connections
    {
        get
        {
            int? sum = null;
            foreach (var worker in _service.State.Workers)
            {
                sum = worker.IsLive || Of(worker.Id)?.Count is not { } count ? sum : (sum ?? 0) + count;
            }

            return sum;
        }
    }

    /// <summary>The latest facts about a draining worker; null for any other worker.</summary>
    public WorkerDrain? Of(int workerId) => _watch.Of(workerId);

    /// <summary>
    /// A client begins (1) or stops (-1) to wait for the outcome of drains. While one waits, connections are counted twice a
    /// second.
    /// </summary>
    public void AddObservers(int by) => _watch.AddObservers(by);

    /// <summary>Adapts to the service's new state.</summary>
    internal void Update(ServiceState state) => _watch.Update(state);

    /// <summary>A worker has been sent its stop signal.</summary>
    internal void Told(int workerId) => _watch.Told(workerId, _service.Loop.Now);

    /// <summary>Samples what the kill will cut, and then kills the worker.</summary>
    internal void Kill(int workerId) => _watch.Kill(workerId, () => _service.Ending.Kill(workerId));

    /// <summary>The stop signal has ended processes of a worker that do not handle it, and cut their connections.</summary>
    internal void Cut(int workerId, int signal, IReadOnlyList<AcceptedConnection> connections)
    {
        var now = _service.Loop.Now;
        if (_service.Worker(workerId) is { } worker
            && new WorkerDrain(worker.PhaseSince).See(new DrainSample(connections), now) is var drain
            && DrainWords.Cut(drain, now, signal) is { } text)
        {
            Report(ServiceReport.WorkerCut, worker, drain, text);
        }
    }

    /// <summary>
    /// Resumes a predecessor's drains. A worker got its signal when its phase began; a worker that was about to be killed is
    /// killed.
    /// </summary>
    internal void Resume()
    {
        _watch.Update(_service.State);
        foreach (var worker in _service.State.Workers)
        {
            if (worker.Phase == WorkerPhase.Killed)
            {
                _service.Ending.Kill(worker.Id);
            }
            else if (!worker.IsLive && worker.EndReason != EndReason.None)
            {
                _watch.Told(worker.Id, worker.PhaseSince);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _watch.Dispose();

    private void Report(ServiceReport what, WorkerState worker, WorkerDrain drain, string text)
    {
        if (worker.Connection is null)
        {
            var report = new ReportEffect(what, worker, null, null, text) { Drain = drain };
            _service.Log.Report(report, _service.State, _service.Loop.Now);
            _service.Report(report);
        }

        if (what == ServiceReport.WorkerCut)
        {
            _service.Post(new ConnectionsCut(worker.Id, drain.Count ?? 0));
        }
    }
}
