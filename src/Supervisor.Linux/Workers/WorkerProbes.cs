using Supervisor.Core.Listeners;
using Supervisor.Core.Services;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Probes;

namespace Supervisor.Linux.Workers;

/// <summary>Makes the probes of a service's workers, and runs their programs. Lives on the loop.</summary>
internal sealed class WorkerProbes(ServiceContext service)
{
    private readonly HashSet<ProbeProgram> _running = [];

    /// <summary>The probe of a condition; null if the worker itself reports it, or its exec is the condition.</summary>
    /// <param name="worker">The worker.</param>
    /// <param name="process">Its process.</param>
    /// <param name="condition">The condition.</param>
    /// <param name="timeout">How long one probe may take; null: as for a worker that starts.</param>
    public IReadinessProbe? Of(WorkerState worker, WorkerProcess process, Readiness condition, TimeSpan? timeout = null)
    {
        var listeners = service.Generations.Of(worker.Generation).Listeners;
        switch (condition.Kind)
        {
            case ReadinessKind.Accepting:
                return Accepts(process, listeners.Where(handle => handle.Spec.Address.Kind.Listens()));
            case ReadinessKind.Http or ReadinessKind.Tcp:
                var asked = listeners.First(handle => handle.Spec.Address.Kind.TakesProbe());
                ListenerProbe probe = condition.Kind == ReadinessKind.Tcp
                    ? new TcpProbe(
                        service, () => process.Pid, asked.Name, asked.Effective!, Others, Accepts(process, [asked]))
                    : new HttpProbe(
                        service, () => process.Pid, condition.Path!, asked.Name, asked.Effective!, Others);
                return timeout is { } limit ? probe.Within(limit) : probe;
            case ReadinessKind.Exec:
                return new ExecProbe(end => RunAsync(worker.Id, condition, end));
            case ReadinessKind.Notify or ReadinessKind.Started or ReadinessKind.Descriptor or ReadinessKind.Log:
                return null;
            default:
                throw new ArgumentOutOfRangeException(nameof(condition), condition.Kind, null);
        }
    }

    /// <summary>How many other workers the service has, old ones too. Any thread: the state never changes, only which one it is.</summary>
    private int Others() => service.State.Workers.Length - 1;

    private AcceptProbe Accepts(WorkerProcess process, IEnumerable<ListenerHandle> listeners) => new(
        service,
        () => process.Pid,
        [.. listeners
            .SelectMany(handle => handle.Sockets.Where(socket => process.Sockets?.Contains(socket) != false)
                .Select(socket => (handle.Name, socket.Inode)))]);

    /// <summary>Kills the programs that run: a successor starts its own.</summary>
    public void Kill()
    {
        foreach (var program in _running.ToArray())
        {
            program.Kill();
        }
    }

    /// <summary>Runs the program once: null if it exits with status 0, otherwise how it ended. Any thread.</summary>
    private Task<string?> RunAsync(int workerId, Readiness condition, CancellationToken end)
    {
        var result = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
        service.Loop.Post(() => Start(workerId, condition, result, end));
        return result.Task;
    }

    private void Start(int workerId, Readiness condition, TaskCompletionSource<string?> result, CancellationToken end)
    {
        if (service.Worker(workerId) is not { } worker)
        {
            result.SetCanceled(CancellationToken.None);
            return;
        }

        var spec = service.State.SpecOf(worker.Generation);
        service.Generations.ResolveOf(worker.Generation, spec, (identity, error) =>
        {
            if (identity is null)
            {
                Begin(identity, new FileVariables([], error));
            }
            else if (spec.EnvironmentFiles.IsEmpty)
            {
                Begin(identity, FileVariables.None);
            }
            else
            {
                service.EnvironmentFiles.Read(spec, identity, read => Begin(identity, read));
            }
        });

        void Begin(WorkerIdentity? identity, FileVariables variables)
        {
            if (end.IsCancellationRequested || !service.Processes.TryGetValue(workerId, out var process))
            {
                result.SetCanceled(CancellationToken.None);
                return;
            }

            var failure = variables.Error;
            var program = failure is not null
                ? null
                : ProbeProgram.Start(service, spec, identity!, worker, process.Pid, condition.Command, variables, Ended, out failure);
            if (program is null)
            {
                result.SetResult($"exec: {failure}");
                return;
            }

            _running.Add(program);
            end.Register(() => service.Loop.Post(program.Kill));
        }

        void Ended(ProbeProgram program, string? seen)
        {
            _running.Remove(program);
            result.SetResult(seen);
        }
    }
}
