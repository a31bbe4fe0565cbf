using Supervisor.Core.Listeners;
using Supervisor.Core.Services;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Probes;

namespace Supervisor.Linux.Workers;

/// <summary>Makes the probes of a service's workers, and runs their programs. Lives on the loop.</summary>
internal sealed class WorkerProbes(ServiceContext service)
{
    private readonly HashSet<ProbeProgram> _running = [];
    private readonly Dictionary<string, (Readiness Condition, string Text)> _unable = new(StringComparer.Ordinal);

    /// <summary>Why a probe cannot be made; null if every probe can, as far as it was tried.</summary>
    public string? Unable => _unable.Values.Select(one => one.Text).FirstOrDefault();

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
                if (timeout is { } limit)
                {
                    probe.OnUnable = why => service.Loop.Post(() => Note(worker.Id, condition, isLiveness: true, why));
                    probe.Within(limit);
                }

                return probe;
            case ReadinessKind.Exec:
                return new ExecProbe(
                    end => RunAsync(worker.Id, condition, end),
                    result => service.Loop.Post(() => Note(
                        worker.Id, condition, timeout is not null, result.IsUnable ? result.Seen : null)));
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

    /// <summary>Forgets the programs that no worker has any more.</summary>
    public void Update()
    {
        var state = service.State;
        foreach (var (setting, (condition, _)) in _unable.ToArray())
        {
            if (state is { IsStarted: false, Workers.IsEmpty: true }
                || !state.Specs.Values.Any(spec => spec.Readiness == condition || spec.Liveness.Probe == condition))
            {
                _unable.Remove(setting);
            }
        }
    }

    /// <summary>Keeps why a probe cannot be made, and reports it once; null: it was made.</summary>
    private void Note(int workerId, Readiness condition, bool isLiveness, string? why)
    {
        var setting = isLiveness ? "liveness.probe" : "ready";
        if (service.Worker(workerId) is null)
        {
            return;
        }

        if (why is null)
        {
            _unable.Remove(setting);
            return;
        }

        var text = $"{setting}: {why}; {(isLiveness ? "no worker is replaced for it" : "no worker becomes ready without it")}";
        var isNew = !_unable.TryGetValue(setting, out var known) || known.Condition != condition;
        _unable[setting] = (condition, text);
        if (isNew)
        {
            var report = new ReportEffect(ServiceReport.ProbeUnable, null, null, null, text);
            service.Log.Report(report, service.State, service.Loop.Now);
            service.Report(report);
        }
    }

    /// <summary>Runs the program once. Any thread.</summary>
    private Task<ProbeRun> RunAsync(int workerId, Readiness condition, CancellationToken end)
    {
        var result = new TaskCompletionSource<ProbeRun>(TaskCreationOptions.RunContinuationsAsynchronously);
        service.Loop.Post(() => Start(workerId, condition, result, end));
        return result.Task;
    }

    private void Start(int workerId, Readiness condition, TaskCompletionSource<ProbeRun> result, CancellationToken end)
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
                result.SetResult(ProbeRun.Unable(failure));
                return;
            }

            _running.Add(program);
            end.Register(() => service.Loop.Post(program.Kill));
        }

        void Ended(ProbeProgram program, ProbeRun run)
        {
            _running.Remove(program);
            result.SetResult(run);
        }
    }
}
