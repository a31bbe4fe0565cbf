using System.Collections.Immutable;

namespace Supervisor.Core.Services;

/// <summary>
/// One step of <see cref="ServiceMachine"/>: the state so far, the effects in their order, and the parts that change them.
/// </summary>
internal sealed class ServiceStep
{
    private readonly ImmutableArray<ServiceEffect>.Builder _effects = ImmutableArray.CreateBuilder<ServiceEffect>();

    public ServiceStep(ServiceState state, TimeSpan now)
    {
        State = Before = state;
        Now = now;
        Service = new ServiceSteps(this);
        Slots = new SlotSteps(this);
        Workers = new WorkerSteps(this);
        Hooks = new HookSteps(this);
        Rollout = new RolloutSteps(this);
        Replacements = new ReplacementSteps(this);
        Connections = new ConnectionSteps(this);
    }

    /// <summary>The state at the beginning of the step.</summary>
    public ServiceState Before { get; }

    /// <summary>The state so far.</summary>
    public ServiceState State { get; set; }

    public TimeSpan Now { get; }

    public ServiceSteps Service { get; }

    public SlotSteps Slots { get; }

    public WorkerSteps Workers { get; }

    public HookSteps Hooks { get; }

    public RolloutSteps Rollout { get; }

    public ReplacementSteps Replacements { get; }

    public ConnectionSteps Connections { get; }

    public ImmutableArray<ServiceEffect> Effects => _effects.ToImmutable();

    public void Add(ServiceEffect effect) => _effects.Add(effect);

    /// <summary>Reports a change; a connection that begins and ends as it should is none.</summary>
    public void Report(ServiceReport report, WorkerState? worker = null, SlotState? slot = null, string? text = null)
    {
        if (worker?.Connection is null || report is ServiceReport.WorkerKilled or ServiceReport.WorkerAbandoned)
        {
            _effects.Add(new ReportEffect(report, worker, slot, State.Rollout, text));
        }
    }

    public void Set(SlotState slot) => State = State with { Slots = State.Slots.SetItem(slot.Index, slot) };

    public void Update(int workerId, Func<WorkerState, WorkerState> change)
    {
        for (var i = 0; i < State.Workers.Length; i++)
        {
            if (State.Workers[i].Id == workerId)
            {
                State = State with { Workers = State.Workers.SetItem(i, change(State.Workers[i])) };
                return;
            }
        }
    }

    public void Remove(int workerId)
    {
        for (var i = 0; i < State.Workers.Length; i++)
        {
            if (State.Workers[i].Id == workerId)
            {
                State = State with { Workers = State.Workers.RemoveAt(i) };
                return;
            }
        }
    }

    public void Spawn(int slot, int generation) =>
        Add([WorkerMachine.Start(State.NextWorkerId, slot, generation, State.SpecOf(generation), Now)]);

    /// <summary>Starts a worker of the newest generation for each connection, in the slot with the same index.</summary>
    public void SpawnFor(ImmutableArray<WorkerConnection> connections, ImmutableArray<int> slots)
    {
        var (first, generation) = (State.NextWorkerId, State.Generation);
        Add([.. connections.Select((connection, i) =>
            WorkerMachine.Start(first + i, slots[i], generation, State.SpecOf(generation), Now) with { Connection = connection })]);
    }

    private void Add(ImmutableArray<WorkerState> workers)
    {
        State = State with { NextWorkerId = State.NextWorkerId + workers.Length, Workers = State.Workers.AddRange(workers) };
        foreach (var worker in workers)
        {
            _effects.Add(new SpawnEffect(worker));
        }
    }
}
