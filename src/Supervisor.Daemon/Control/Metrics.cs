using System.Globalization;
using Supervisor.Core.Services;
using Supervisor.Daemon.Model;
using Supervisor.Daemon.Reports;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Control;

/// <summary>Reads the values of all <see cref="Metric"/>s when somebody asks. All but <see cref="ReadAsync"/> runs on the loop.</summary>
/// <param name="loop">The loop.</param>
/// <param name="info">The daemon's version and start.</param>
/// <param name="config">The configuration in force.</param>
/// <param name="files">Whether its files have changed.</param>
/// <param name="listeners">The listeners.</param>
/// <param name="services">The services.</param>
internal sealed class Metrics(
    EventLoop loop, DaemonInfo info, ConfigInForce config, ConfigFileCheck files, ListenerTable listeners, ServiceTable services)
{
    private static readonly ServiceCondition[] Conditions = Enum.GetValues<ServiceCondition>();
    private static readonly RolloutPhase[] Outcomes =
        [RolloutPhase.Done, RolloutPhase.RolledBack, RolloutPhase.Failed, RolloutPhase.Superseded];

    /// <summary>Reads everything: on the loop in slices, and what only the kernel or a disk knows here. Any thread but the loop's.</summary>
    public async Task<MetricSamples> ReadAsync()
    {
        var samples = new MetricSamples();
        var origin = await loop.Ask(() =>
        {
            AddDaemon(samples);
            return config.Origin;
        });
        await loop.AskEach(() => listeners.Handles, handle =>
        {
            if (listeners.Find(handle.Name) == handle)
            {
                AddListener(samples, handle);
            }

            return handle;
        });
        var documents = await loop.AskEach(() => services, runner =>
        {
            AddService(samples, runner);
            return ServiceDocuments.Service(runner, loop.Now, loop.Time.GetUtcNow());
        });
        foreach (var document in ServiceUsage.AddResources(documents))
        {
            AddWorkers(samples, document);
        }

        samples.Add(Metric.ConfigDiffers, await files.DiffersAsync(origin.Hash) is { } differs ? differs ? 1 : 0 : null);
        return samples;
    }

    private void AddDaemon(MetricSamples samples)
    {
        samples.Add(Metric.Info, 1, DaemonInfo.Version);
        samples.Add(Metric.StartTime, Seconds(info.StartedAt));
        samples.Add(Metric.Upgrades, info.Upgrades);
        if (config.Origin.Hash is { } hash)
        {
            samples.Add(Metric.ConfigHash, 1, hash);
        }

        if (config.Origin.LastReload is { } reload)
        {
            samples.Add(Metric.LastReloadSuccess, reload.Outcome == "applied" ? 1 : 0);
            samples.Add(Metric.LastReloadTime, Seconds(reload.At));
        }
    }

    private static void AddListener(MetricSamples samples, ListenerHandle handle)
    {
        var name = handle.Name;
        samples.Add(Metric.ListenerUp, handle.Descriptor is null ? 0 : 1, name);
        samples.Add(Metric.Drifts, handle.History.Drifts, name);
        samples.Add(Metric.Repairs, handle.History.Repairs, name);
        samples.Add(Metric.Drifted, handle.Drift.Count(), name);
        if (handle.Descriptor is null)
        {
            return;
        }

        var kind = handle.Spec.Address.Kind;
        (double Length, double Limit)? all = handle.Listens ? (0, 0) : null;
        foreach (var socket in handle.Sockets)
        {
            var queue = handle.Listens ? AcceptQueue.Read(socket.Descriptor, kind, socket.Inode) : null;
            all = all is { } sum && queue is { } one ? (sum.Length + one.Length, sum.Limit + one.Limit) : null;
            if (handle.Sockets.Count > 1)
            {
                var shard = socket.Shard.ToString(CultureInfo.InvariantCulture);
                samples.Add(Metric.ShardQueueLength, queue?.Length, name, shard);
                samples.Add(Metric.ShardQueueLimit, queue?.Limit, name, shard);
                samples.Add(Metric.ShardDrops, SocketDrops.Read(socket.Descriptor, handle.Spec), name, shard);
            }
        }

        samples.Add(Metric.QueueLength, all?.Length, name);
        samples.Add(Metric.QueueLimit, all?.Limit, name);
        samples.Add(Metric.Drops, SocketDrops.Read(handle), name);
        AddSteering(samples, handle);
    }

    private static void AddSteering(MetricSamples samples, ListenerHandle handle)
    {
        const double percent = 100;
        if (SteeringDocuments.Of(handle) is not { } steering)
        {
            return;
        }

        var name = handle.Name;
        samples.Add(Metric.Steered, steering.Reason is null ? 1 : 0, name);
        samples.Add(Metric.FlowsLimit, steering.Flows?.Limit, name);
        samples.Add(Metric.FlowsEvicted, steering.Flows?.Evicted, name);
        foreach (var share in steering.Shares)
        {
            var generation = share.Generation.ToString(CultureInfo.InvariantCulture);
            samples.Add(Metric.Selected, share.Selected, name, generation);
            samples.Add(Metric.ShareRatio, share.Percent / percent, name, generation);
            samples.Add(Metric.Flows, share.Flows, name, generation);
        }
    }

    private void AddService(MetricSamples samples, ServiceRunner runner)
    {
        var (name, state) = (runner.Name, runner.State);
        foreach (var condition in Conditions)
        {
            samples.Add(Metric.State, state.Condition == condition ? 1 : 0, name, condition.ToWireName());
        }

        var drainsSince = state.Workers.Where(IsDraining).Select(worker => (TimeSpan?)worker.PhaseSince).Min();
        samples.Add(Metric.Desired, state.Desired, name);
        samples.Add(Metric.Ready, state.Ready, name);
        samples.Add(Metric.Draining, state.Workers.Count(IsDraining), name);
        samples.Add(Metric.BackingOff, state.Slots.Count(slot => state.IsHeldBack(slot) || slot.NextTry is not null), name);
        samples.Add(Metric.DrainingConnections, runner.Drains.Connections, name);
        samples.Add(Metric.DrainSeconds, drainsSince is { } since ? (loop.Now - since).TotalSeconds : 0, name);
        samples.Add(Metric.Generation, state.Generation, name);
        samples.Add(Metric.Restarts, state.TotalRestarts, name);
        foreach (var cause in RestartCause.All)
        {
            samples.Add(Metric.RestartsByCause, state.Counters.Restarts.GetValueOrDefault(cause), name, cause);
        }

        samples.Add(Metric.Rolling, state.Rollout is { IsActive: true } ? 1 : 0, name);
        foreach (var outcome in Outcomes.Select(outcome => outcome.ToWireName()))
        {
            samples.Add(Metric.Rollouts, state.Counters.Rollouts.GetValueOrDefault(outcome), name, outcome);
        }

        samples.Add(
            Metric.RolloutSeconds, state.Rollout is { } last ? ((last.EndedAt ?? loop.Now) - last.StartedAt).TotalSeconds : null, name);
        samples.Add(Metric.Cut, state.Cut, name);
        if (state.Spec.Start == StartMode.PerConnection)
        {
            samples.Add(Metric.Accepted, state.Counters.Accepted, name);
            samples.Add(Metric.RefusedConnections, state.Counters.Refused, name);
            samples.Add(Metric.FailedConnections, state.Counters.Failed, name);
        }
    }

    /// <summary>
    /// One sample for each slot and generation: a worker that is replaced within its generation is left out, and so are the processes
    /// of connections, of which there may be thousands.
    /// </summary>
    private static void AddWorkers(MetricSamples samples, Supervisor.Control.ServiceDocument service)
    {
        foreach (var worker in service.Workers.Where(worker => worker is { Pid: not null, Peer: null })
            .GroupBy(worker => (worker.Slot, worker.Generation)).Select(same => same.Last()))
        {
            string[] labels =
            [
                service.Name, worker.Slot.ToString(CultureInfo.InvariantCulture), worker.Generation.ToString(CultureInfo.InvariantCulture),
            ];
            samples.Add(Metric.WorkerProcessorTime, worker.CpuUsec / 1e6, labels);
            samples.Add(Metric.WorkerMemory, worker.MemoryBytes, labels);
        }
    }

    private static bool IsDraining(WorkerState worker) =>
        worker.Phase is WorkerPhase.Draining or WorkerPhase.Stopping or WorkerPhase.Killed;

    private static double Seconds(DateTimeOffset time) => time.ToUnixTimeMilliseconds() / 1000.0;
}
