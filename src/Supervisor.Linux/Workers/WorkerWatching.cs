using Supervisor.Core.Services;
using Supervisor.Linux.Output;
using Supervisor.Linux.Probes;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>Watches the descriptors of a worker's process, and probes its readiness.</summary>
internal sealed class WorkerWatching(ServiceContext service)
{
    public void Attach(int workerId, WorkerProcess process)
    {
        process.Notify?.Watch(
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
        process.Einhorn?.Watch(
            service.Loop,
            pid => WorkerLineage.Knows(process, pid) == true,
            (message, sender) =>
            {
                service.Spawning.Settle(workerId, process);
                service.Messages.Take(workerId, process, message, sender);
            },
            (kind, reason, sender) => service.Messages.Refuse(process, sender, "einhorn " + kind, "EINHORN_SOCK_PATH: " + reason));
        SearchOutput(workerId, process);
        AttachOutput(process);
        service.Loop.Watch(process.Main.Pidfd, () => service.Ending.Ended(workerId, process));
    }

    /// <summary>Watches only its output, because its main process has exited.</summary>
    public void AttachOutput(WorkerProcess process)
    {
        if (process.Output is { } output)
        {
            ReadLines(output);
        }

        ReadLines(process.Error);
    }

    /// <summary>Watches whether the worker gets ready, unless its messages or its output tell.</summary>
    public void WatchReadiness(int workerId, WorkerProcess process)
    {
        if (service.Worker(workerId) is not { } worker)
        {
            return;
        }

        var spec = service.State.SpecOf(worker.Generation);
        if (spec.Readiness.Kind == ReadinessKind.Descriptor)
        {
            WatchPipe(workerId, process, spec.Readiness.Descriptor);
        }
        else if (service.Probes.Of(worker, process, spec.Readiness) is { } probe)
        {
            process.Watch = new ReadinessWatch(
                service.Loop, probe, () => service.Post(new WorkerReady(workerId)),
                seen => service.Post(new WorkerSeen(workerId, seen)),
                spec.Readiness.Kind == ReadinessKind.Exec ? ReadinessWatch.ProgramPace : ReadinessWatch.Pace);
        }
    }

    /// <summary>A line that a worker has written.</summary>
    public void TakeOutput(WorkerState worker, int pid, OutputPiece piece, bool isError) =>
        service.Output.Write(worker, pid, piece, isError);

    /// <summary>With <c>ready = "log:TEXT"</c> the text makes the worker ready, in either of its two streams.</summary>
    private void SearchOutput(int workerId, WorkerProcess process)
    {
        if (service.Worker(workerId) is not { Phase: WorkerPhase.Starting } worker
            || service.State.SpecOf(worker.Generation).Readiness is not { Kind: ReadinessKind.Log, Text: { } text })
        {
            return;
        }

        OutputPipe.SearchAll(
            process.Output is { } output ? [output, process.Error] : [process.Error], ByteText.Encode(text), () =>
            {
                service.Spawning.Settle(workerId, process);
                service.Post(new WorkerReady(workerId));
            });
    }

    private void WatchPipe(int workerId, WorkerProcess process, int number)
    {
        if (process.Ready is not { } pipe)
        {
            service.Post(new WorkerSeen(workerId, $"the pipe of descriptor {number} was lost with an earlier daemon"));
            return;
        }

        pipe.Watch(service.Loop, isReady =>
        {
            process.Ready = null;
            pipe.Dispose();
            service.Note(isUrgent: false);
            service.Post(isReady
                ? new WorkerReady(workerId)
                : new WorkerSeen(workerId, $"it closed descriptor {number} without a newline"));
        });
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
        if (process.Launch?.Status is { } status)
        {
            service.Loop.Unwatch(status);
        }

        service.Loop.Unwatch(process.Main.Pidfd);
        if (process.Main.First is not null)
        {
            service.Loop.Unwatch(process.Main.First);
        }

        process.Notify?.Unwatch();
        process.Einhorn?.Unwatch();
    }

    /// <summary>Stops reading its output, because the whole worker has exited.</summary>
    public void UnwatchOutput(WorkerProcess process)
    {
        if (process.Output is { } output)
        {
            service.Loop.Unwatch(output.Descriptor);
        }

        service.Loop.Unwatch(process.Error.Descriptor);
    }
}
