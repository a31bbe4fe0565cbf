using Supervisor.Core.Services;
using Supervisor.Core.Workers;
using Supervisor.Linux.Listeners;

namespace Supervisor.Linux.Workers;

/// <summary>What workers that leave have left.</summary>
public sealed partial class ServiceRunner
{
    /// <summary>The listeners of all generations that live, the next one's too: after a reload two may have one name.</summary>
    public IReadOnlyList<ListenerHandle> AllListeners => [.. _means.Values.Append(_wanted).SelectMany(means => means.Listeners).Distinct()];

    /// <summary>A question about the connections of all workers, to be asked on any thread. On the loop.</summary>
    public AcceptedConnections ConnectionQuestion() => new(AllListeners);

    /// <summary>What is known of a worker that leaves, as it was last seen; null of any other worker.</summary>
    public WorkerDrain? Drain(int workerId) => _drains.Of(workerId);

    /// <summary>How many connections workers that leave have left, as far as was seen; null where nothing was.</summary>
    public int? DrainingConnections
    {
        get
        {
            int? sum = null;
            foreach (var worker in State.Workers)
            {
                sum = worker.IsLive || _drains.Of(worker.Id)?.Count is not { } count ? sum : (sum ?? 0) + count;
            }

            return sum;
        }
    }

    /// <summary>Somebody waits for what comes of drains (1), or waits no more (-1): connections are counted twice a second meanwhile.</summary>
    public void FollowDrains(int by) => _drains.Follow(by);

    /// <summary>Goes on with a predecessor's drains; when a worker was told is when its phase began, and one that was to be killed is.</summary>
    private void ResumeDrains()
    {
        _drains.Follow(State);
        foreach (var worker in State.Workers)
        {
            if (worker.Phase == WorkerPhase.Killed)
            {
                KillWorker(worker.Id);
            }
            else if (!worker.IsLive && worker.EndReason != EndReason.None)
            {
                _drains.Told(worker.Id, worker.PhaseSince);
            }
        }
    }

    private void Tell(ServiceReport what, WorkerState worker, WorkerDrain drain, string text)
    {
        var report = new ReportEffect(what, worker, null, null, text) { Drain = drain };
        _log.Report(report, State, _loop.Now);
        Changed?.Invoke(this, [report]);
    }
}
