using System.Diagnostics;
using Supervisor.Control;
using Supervisor.Core.Workers;
using Supervisor.Daemon.Model;
using Supervisor.Daemon.Reports;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Control;

/// <summary>
/// Counts the connections of each worker, and what draining workers still have to finish. The constructor copies the
/// workers' state on the loop. Another thread then queries sock_diag and /proc, because a host may have many of either.
/// </summary>
internal sealed class ConnectionCounts
{
    /// <summary>
    /// The time limits for the descriptors of one worker and of all workers. A worker may have any number of descriptors, and
    /// the status must not wait for them.
    /// </summary>
    private static readonly TimeSpan Each = TimeSpan.FromMilliseconds(40);
    private static readonly TimeSpan Together = TimeSpan.FromMilliseconds(80);

    private readonly Dictionary<string, Noted> _services;
    private readonly TimeSpan _now;
    private long? _until;

    /// <summary>Copies the state of the workers. On the loop.</summary>
    public ConnectionCounts(ServiceTable services, TimeSpan now)
    {
        _now = now;
        _services = services.ToDictionary(runner => runner.Name, runner => new Noted(runner), StringComparer.Ordinal);
    }

    /// <summary>
    /// Adds the counts to the document. A count stays null if the worker may not be inspected, or not in time. Any thread.
    /// </summary>
    public StatusDocument Fill(StatusDocument status) => status with { Services = [.. status.Services.Select(Fill)] };

    /// <summary>Adds the counts of one service.</summary>
    public ServiceDocument Fill(ServiceDocument service)
    {
        if (!_services.TryGetValue(service.Name, out var noted) || noted.Question.IsEmpty)
        {
            return service;
        }

        // The ages of connections are expensive, and only draining workers need them.
        var until = _until ??= Stopwatch.GetTimestamp() + (long)(Together.TotalSeconds * Stopwatch.Frequency);
        var found = noted.Question.Of(
            service.Workers.Select(worker => worker.Pid).OfType<int>(), Each, until, withAges: noted.Drains.Count > 0);
        var workers = service.Workers.Select(worker => worker.Pid is { } pid && found.GetValueOrDefault(pid) is { } connections
            ? worker with
            {
                Connections = connections.Count,
                Drain = noted.Drains.TryGetValue(pid, out var drain)
                    ? DrainDocuments.Document(
                        drain.See(new DrainSample(connections), _now) with { KeepsAccepting = drain.KeepsAccepting },
                        worker.Drain?.KilledAt, _now)
                    : worker.Drain,
            }
            : worker).ToArray();
        var left = workers.Where(worker => worker.Drain?.Connections is not null).ToArray();
        return service with
        {
            Workers = workers,
            Rollout = service.Rollout is { State: "replacing" or "canary" or "draining" or "rolling-back" } rollout && left.Length > 0
                ? rollout with { DrainingConnections = left.Sum(worker => worker.Drain!.Connections) }
                : service.Rollout,
        };
    }

    private sealed class Noted(ServiceRunner runner)
    {
        public AcceptedConnections Question { get; } = new(runner.Generations.AllListeners);

        /// <summary>By process id.</summary>
        public Dictionary<int, WorkerDrain> Drains { get; } = runner.State.Workers
            .Where(worker => worker.Pid is not null && runner.Drains.Of(worker.Id) is not null)
            .ToDictionary(worker => worker.Pid!.Value, worker => runner.Drains.Of(worker.Id)!);
    }
}
