using Supervisor.Core.Listeners;
using Supervisor.Core.Services;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Output;
using Supervisor.Linux.Probes;

namespace Supervisor.Linux.Workers;

/// <summary>Watches the descriptors of a worker's process, and probes its readiness.</summary>
internal sealed class WorkerWatching(ServiceContext service)
{
    public void Attach(int workerId, WorkerProcess process)
    {
        process.Notify.Watch(
            service.Loop,
            pid => WorkerLineage.Knows(process, pid),
            process.Denies,
            (message, sender, descriptors) =>
            {
                service.Spawning.Settle(workerId, process);
                service.Messages.Take(workerId, process, message, sender, descriptors);
            },
            (kind, reason, sender) => service.Messages.Refuse(process, sender, kind, reason),
            pid => service.Lineage.Identify(workerId, process, pid, static () => { }),
            process.Examined.Clear);
        AttachOutput(process);
        service.Loop.Watch(process.Pidfd, () => service.Ending.Ended(workerId, process));
    }

    /// <summary>Watches only its output, because its main process has exited.</summary>
    public void AttachOutput(WorkerProcess process)
    {
        ReadLines(process.Output);
        ReadLines(process.Error);
    }

    public void WatchReadiness(int workerId, WorkerProcess process)
    {
        var generation = service.Worker(workerId)?.Generation ?? service.State.Generation;
        if (Probe(process, service.State.SpecOf(generation), service.Generations.Of(generation).Listeners) is { } probe)
        {
            process.Watch = new ReadinessWatch(
                service.Loop, probe, () => service.Post(new WorkerReady(workerId)),
                seen => service.Post(new WorkerSeen(workerId, seen)));
        }
    }

    /// <summary>The probe of the worker's readiness; null if the worker notifies, or is ready by its exec.</summary>
    private IReadinessProbe? Probe(WorkerProcess process, ServiceSpec spec, IReadOnlyList<ListenerHandle> listeners)
    {
        var readiness = spec.Readiness;
        switch (readiness.Kind)
        {
            case ReadinessKind.Accepting:
                return new AcceptProbe(
                    service,
                    () => process.Pid,
                    [.. listeners.Where(handle => handle.Spec.Address.Kind.Listens())
                        .SelectMany(handle => handle.Sockets.Where(socket => process.Sockets?.Contains(socket) != false)
                            .Select(socket => (handle.Name, socket.Inode)))]);
            case ReadinessKind.Http:
                var asked = listeners.First(handle => handle.Spec.Address.Kind.TakesHttpProbe());
                return new HttpProbe(service, () => process.Pid, readiness.Path!, asked.Name, asked.Effective!,
                    service.State.Workers.Length);
            case ReadinessKind.Notify or ReadinessKind.Started:
                return null;
            default:
                throw new ArgumentOutOfRangeException(nameof(process), readiness.Kind, null);
        }
    }

    private void ReadLines(OutputPipe pipe) => service.Loop.Watch(pipe.Descriptor, () =>
    {
        if (!pipe.Drain())
        {
            service.Loop.Unwatch(pipe.Descriptor);
        }
    });

    /// <summary>Stops watching everything but its output.</summary>
    public void Unwatch(WorkerProcess process)
    {
        if (process.Launch is { } launch)
        {
            service.Loop.Unwatch(launch.Status);
        }

        service.Loop.Unwatch(process.Pidfd);
        if (process.First is not null)
        {
            service.Loop.Unwatch(process.First);
        }

        process.Notify.Unwatch();
    }

    /// <summary>Stops reading its output, because the whole worker has exited.</summary>
    public void UnwatchOutput(WorkerProcess process)
    {
        service.Loop.Unwatch(process.Output.Descriptor);
        service.Loop.Unwatch(process.Error.Descriptor);
    }
}
