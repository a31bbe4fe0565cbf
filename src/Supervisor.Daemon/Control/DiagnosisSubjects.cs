using Supervisor.Core.Diagnosis;
using Supervisor.Core.Listeners;
using Supervisor.Core.Services;
using Supervisor.Core.Workers;
using Supervisor.Daemon.Model;
using Supervisor.Daemon.Reports;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Control;

/// <summary>What the daemon knows of a listener before the kernel is asked about it. On the loop.</summary>
internal static class DiagnosisSubjects
{
    /// <summary>The subject of a listener; null for what is held and is not a listener, and for what takes
    /// neither connections nor datagrams of clients.</summary>
    public static ListenerSubject? Of(ListenerHandle handle, ServiceTable services, TimeSpan now)
    {
        var kind = handle.Spec.Address.Kind;
        if (kind is ListenerKind.Other or ListenerKind.Netlink || !kind.IsSocket() || handle.IsIdle)
        {
            return null;
        }

        var users = services.UsersOf(handle).ToArray();
        var idle = users.Where(runner => !runner.State.IsStarted || runner.State.AwaitsDemand).ToArray();
        var failing = users.Except(idle).FirstOrDefault() ?? users.FirstOrDefault();
        var failure = FailureReport.Failure(handle);
        return new ListenerSubject(
            handle.Name, kind, handle.Effective,
            [.. handle.Sockets.Concat(handle.Leaving).Select(socket => new SocketSubject(socket.Inode, socket.Shard, socket.IsChosen))],
            [.. users.SelectMany(runner => Workers(runner, now))])
        {
            NetworkNamespace = handle.Spec.NetworkNamespace,
            Backlog = handle.Listens ? handle.Spec.Listen.Backlog : null,
            IsDeferred = handle.Sockets.Any(socket => SocketDrops.IsDeferred(socket.Descriptor)),
            KeepAlive = handle.Spec.Accepted.KeepAlive,
            UnixNames = kind.IsUnix() ? handle.UnixNames() : [],
            Services = [.. users.Select(runner => runner.Name)],
            IsIdleByIntent = users.Length > 0 && idle.Length == users.Length,
            WithoutWorkers = failing is null ? null : Condition(failing),
            NotBound = handle.Descriptor is not null || handle.IsAwaited ? null
                : failure is null ? "it has no socket" : $"{failure.Errno} {failure.Cause}: {failure.Advice}",
        };
    }

    /// <summary>The main processes of all workers.</summary>
    public static IReadOnlySet<int> Processes(ServiceTable services) =>
        services.SelectMany(runner => runner.State.Workers).Select(worker => worker.Pid).OfType<int>().ToHashSet();

    private static IEnumerable<WorkerSubject> Workers(ServiceRunner runner, TimeSpan now)
    {
        foreach (var worker in runner.State.Workers.OrderBy(worker => worker.Slot).ThenBy(worker => worker.Generation))
        {
            if (worker.Pid is { } pid)
            {
                var drain = runner.Drains.Of(worker.Id);
                yield return new WorkerSubject(runner.Name, worker.Slot, worker.Generation, pid, worker.Phase.ToWireName())
                {
                    Roots = runner.Workers.Process(worker.Id)?.Others ?? [pid],
                    DrainsFor = now - drain?.ToldAt,
                    KeepsAccepting = drain?.KeepsAccepting is { } kept ? DrainWords.KeepsAccepting(kept) : null,
                };
            }
        }
    }

    private static string Condition(ServiceRunner runner)
    {
        var reason = runner.Requests.Reason ?? ServiceDocuments.Reason(runner.State);
        return $"service {runner.Name} is {ServiceDocuments.State(runner)}{(reason is null ? "" : $", {reason}")}";
    }
}
