using Supervisor.Core.Services;
using Supervisor.Linux.Handoff;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;

namespace Supervisor.Linux.Workers;

/// <summary>What the parts of one <see cref="ServiceRunner"/> share. Lives on the loop.</summary>
internal sealed class ServiceContext
{
    private readonly ServiceRunner _runner;

    public ServiceContext(ServiceRunner runner, EventLoop loop, Spawner spawner, Disposer disposer, OrphanReaper? orphans, ServiceLog log,
        WorkerOutput output, GenerationTable generations)
    {
        _runner = runner;
        Loop = loop;
        Spawner = spawner;
        Disposer = disposer;
        Orphans = orphans;
        Log = log;
        Output = output;
        Generations = generations;
        EnvironmentFiles = new EnvironmentFileReader(loop, log.EnvironmentIgnored);
        Stored = new DescriptorStore(descriptors => disposer.Close(Disposer.OwnerOf(Name), descriptors), loop, (slot, stored) =>
        {
            log.StoredHungUp(slot, stored.Name);
            Report();
        });
        Requests = new ServiceRequests(this);
        Demand = new DemandWatch(loop, () => generations.Next.Listeners, Post);
        Connections = new ConnectionAcceptor(this);
        Shards = new ShardCoverage(this);
        Steering = new SteeredSockets(this);
        Spawning = new WorkerSpawning(this);
        Watching = new WorkerWatching(this);
        Probes = new WorkerProbes(this);
        Health = new WorkerHealth(this);
        Limits = new WorkerLimits(this);
        Messages = new WorkerMessages(this);
        Lineage = new WorkerLineage(this);
        Ending = new WorkerEnding(this);
        Cleanup = new WorkerCleanup(this);
        ForeignExits = new ForeignExits(this);
        Signals = new StopSignals(this);
        Drains = new WorkerDrains(this);
        Abandoned = new AbandonedWorkers(this);
    }

    public EventLoop Loop { get; }

    public Spawner Spawner { get; }

    public Disposer Disposer { get; }

    public OrphanReaper? Orphans { get; }

    public ServiceLog Log { get; }

    public WorkerOutput Output { get; }

    /// <summary>What workers stored by FDSTORE=1.</summary>
    public DescriptorStore Stored { get; }

    /// <summary>The processes of workers, by the worker's number.</summary>
    public Dictionary<int, WorkerProcess> Processes { get; } = [];

    public GenerationTable Generations { get; }

    public ServiceRequests Requests { get; }

    public DemandWatch Demand { get; }

    public ConnectionAcceptor Connections { get; }

    public ShardCoverage Shards { get; }

    public SteeredSockets Steering { get; }

    public WorkerSpawning Spawning { get; }

    public WorkerWatching Watching { get; }

    public WorkerProbes Probes { get; }

    public WorkerHealth Health { get; }

    public WorkerLimits Limits { get; }

    public WorkerMessages Messages { get; }

    public WorkerLineage Lineage { get; }

    public WorkerEnding Ending { get; }

    public WorkerCleanup Cleanup { get; }

    public ForeignExits ForeignExits { get; }

    public StopSignals Signals { get; }

    public WorkerDrains Drains { get; }

    public AbandonedWorkers Abandoned { get; }

    public ServiceState State => _runner.State;

    public string Name => _runner.Name;

    /// <summary>Hands an event to the machine.</summary>
    public void Post(ServiceEvent what) => _runner.Post(what);

    /// <summary>Reports a change outside of the machine's state.</summary>
    public void Report(params ReadOnlySpan<ReportEffect> reports)
    {
        Note(isUrgent: true);
        _runner.ReportChange([.. reports]);
    }

    /// <summary>
    /// Something has changed that a successor needs and that is not in the machine's state; <paramref name="isUrgent"/> if it would be
    /// lost otherwise.
    /// </summary>
    public void Note(bool isUrgent) => _runner.Snapshot.Note(isUrgent);

    /// <summary>Called when a worker has exited, before the machine decides about it.</summary>
    public void ReportEnding() => _runner.ReportEnding();

    /// <summary>Called before a worker is spawned on these listeners.</summary>
    public void ReportSpawning(IReadOnlyList<ListenerHandle> listeners) => _runner.ReportSpawning(listeners);

    public bool IsGone => _runner.IsGone;

    /// <summary>Reads the environment files of workers and hooks.</summary>
    public EnvironmentFileReader EnvironmentFiles { get; }

    /// <summary>The next deadline of the service may be another one.</summary>
    public void Schedule() => Loop.Schedule(_runner);

    /// <summary>Sets the machine's state to a predecessor's.</summary>
    public void Restore(ServiceState state) => _runner.Restore(state);

    /// <summary>Runs a hook, once the user of its generation is known.</summary>
    public void RunHook(HookEffect hook) => _runner.RunHook(hook);

    /// <summary>The worker with that number; null if it no longer exists.</summary>
    public WorkerState? Worker(int workerId) => State.Find(workerId);

    /// <summary>The specification that a worker was started with.</summary>
    public ServiceSpec SpecOf(int workerId) => Worker(workerId) is { } worker ? State.SpecOf(worker.Generation) : State.Spec;
}
