using System.Diagnostics;
using Supervisor.Control;
using Supervisor.Core.Workers;
using Supervisor.Daemon.Reports;
using Supervisor.Linux.Cgroups;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Control;

/// <summary>
/// Adds to documents of services what the kernel knows: the connections of each worker, what draining workers still have to
/// finish, and the resources that workers use.
/// </summary>
/// <remarks>
/// It asks sock_diag once for all services, and reads /proc only for the workers of a listener that has a connection. Both can
/// be slow on a host with many sockets or descriptors, so call it on a thread that may wait.
/// </remarks>
internal sealed class ServiceUsage
{
    /// <summary>
    /// The time limits for the descriptors of one worker, and of all workers together with a share for each of them. A worker may
    /// have any number of descriptors, and the status must not wait for them.
    /// </summary>
    private static readonly TimeSpan Each = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Together = TimeSpan.FromMilliseconds(150);
    private static readonly TimeSpan Share = TimeSpan.FromMicroseconds(200);

    private readonly ConnectionSnapshot _connections;
    private readonly TimeSpan _now;
    private readonly long _until;

    private ServiceUsage(IReadOnlyList<ServiceReading> services, TimeSpan now)
    {
        // The ages of connections are expensive, and only draining workers need them.
        _connections = AcceptedConnections.OfAll(services.Select(service => service.Question))
            .Read(withAges: services.Any(service => service.Drains.Count > 0));
        _now = now;
        _until = For(services.Select(service => service.Document));
    }

    /// <summary>The completed documents, in the same order. A worker that may not be inspected, or not in time, has no count.</summary>
    /// <param name="services">The services.</param>
    /// <param name="now">The time of the loop's clock at which they were read.</param>
    public static IEnumerable<ServiceDocument> Fill(IReadOnlyList<ServiceReading> services, TimeSpan now)
    {
        var usage = new ServiceUsage(services, now);
        return AddResources([.. services.Select(usage.AddConnections)]);
    }

    private static long After(TimeSpan time) => Stopwatch.GetTimestamp() + (long)(time.TotalSeconds * Stopwatch.Frequency);

    private ServiceDocument AddConnections(ServiceReading reading)
    {
        var service = reading.Document;
        if (reading.Question.IsEmpty)
        {
            return service;
        }

        var mayHaveSome = _connections.MayBeOf(reading.Question);
        var workers = service.Workers.Select(worker => AddConnections(worker, reading.Drains, mayHaveSome)).ToArray();
        var left = workers.Where(worker => worker.Drain?.Connections is not null).ToArray();
        return service with
        {
            Workers = workers,
            Rollout = service.Rollout is { State: "replacing" or "canary" or "draining" or "rolling-back" } rollout && left.Length > 0
                ? rollout with { DrainingConnections = left.Sum(worker => worker.Drain!.Connections) }
                : service.Rollout,
        };
    }

    private WorkerDocument AddConnections(WorkerDocument worker, Dictionary<int, WorkerDrain> drains, bool mayHaveSome)
    {
        if (worker.Pid is not { } pid
            || (mayHaveSome ? _connections.Of(worker.Processes ?? [pid], Math.Min(_until, After(Each))) : []) is not { } connections)
        {
            return worker;
        }

        return worker with
        {
            Connections = connections.Count,
            Drain = drains.TryGetValue(pid, out var drain)
                ? DrainDocuments.Document(
                    drain.See(new DrainSample(connections), _now) with { KeepsAccepting = drain.KeepsAccepting },
                    worker.Drain?.KilledAt,
                    _now)
                : worker.Drain,
        };
    }

    /// <summary>
    /// The documents with what the workers use: from the cgroup of a worker, or else from its processes, as far as they can be read in
    /// time. Any thread but the loop's.
    /// </summary>
    public static IEnumerable<ServiceDocument> AddResources(IReadOnlyList<ServiceDocument> services)
    {
        var until = For(services);
        return services.Select(service => service with { Workers = [.. service.Workers.Select(worker => AddResources(worker, until))] });
    }

    private static WorkerDocument AddResources(WorkerDocument worker, long until)
    {
        if (worker.Cgroup is { } path)
        {
            return worker with
            {
                CpuUsec = (long?)WorkerCgroup.ProcessorTime(path)?.TotalMicroseconds,
                MemoryBytes = WorkerCgroup.Memory(path),
                MemoryPeak = WorkerCgroup.MemoryPeak(path),
                Limits = CgroupLimitFiles.Read(path) is { IsEmpty: false } limits ? ServiceDocuments.Limits(limits) : null,
            };
        }

        var roots = worker.Processes ?? (worker.Pid is { } pid ? [pid] : []);
        return Stopwatch.GetTimestamp() < until && ProcessUsage.Read(roots, until) is { } used
            ? worker with { CpuUsec = (long)used.ProcessorTime.TotalMicroseconds, MemoryBytes = used.MemoryBytes }
            : worker;
    }

    /// <summary>The end of the time for all workers.</summary>
    private static long For(IEnumerable<ServiceDocument> services) =>
        After(Together + (Share * services.Sum(service => service.Workers.Count)));
}
