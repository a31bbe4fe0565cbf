namespace Supervisor.Core.Services;

/// <summary>Which slots want a worker, and which worker has to leave for it.</summary>
internal sealed partial class ServiceTransition
{
    public void Reconcile()
    {
        if (!State.Wanted)
        {
            foreach (var worker in State.Workers)
            {
                Worker(worker.Id, WorkerEvent.Stop);
            }

            if (_before.Wanted && State.Workers.IsEmpty)
            {
                Stopped();
            }

            return;
        }

        RolloutMachine.Advance(this);
        CoverSlots();

        foreach (var worker in State.Workers.Where(worker => worker.Slot >= State.Desired && worker.IsLive))
        {
            Worker(worker.Id, WorkerEvent.Stop);
        }

        if (State.Slots.Length > State.Desired)
        {
            var empty = State.Slots.Length;
            while (empty > State.Desired && !State.Workers.Any(worker => worker.Slot == empty - 1))
            {
                empty--;
            }

            State = State with { Slots = State.Slots[..empty] };
        }

        RolloutMachine.Conclude(this);
        Announce();
    }

    /// <summary>
    /// Covers those slots that have anything else than what nearly every slot has at nearly every event: one live worker, of
    /// the slot's own generation. Found in one pass and without garbage, since hundreds of workers are told of one by one.
    /// </summary>
    private void CoverSlots()
    {
        var slots = State.Slots;
        var workers = State.Workers;
        Span<bool> has = slots.Length <= MostOnStack ? stackalloc bool[slots.Length] : new bool[slots.Length];
        Span<bool> isOdd = slots.Length <= MostOnStack ? stackalloc bool[slots.Length] : new bool[slots.Length];
        foreach (var worker in workers)
        {
            if (worker.Slot < slots.Length)
            {
                isOdd[worker.Slot] |= has[worker.Slot] || !worker.IsLive || worker.Generation != slots[worker.Slot].Generation;
                has[worker.Slot] = true;
            }
        }

        for (var i = 0; i < slots.Length; i++)
        {
            if (isOdd[i] || !has[i])
            {
                Cover(slots[i], [.. workers.Where(worker => worker.Slot == i)]);
            }
        }
    }

    /// <summary>
    /// One slot: a live worker of the slot's generation, and all others leave once it is ready; until then one of them
    /// serves. New workers of a roll-out that is under way are not its business.
    /// </summary>
    private void Cover(SlotState slot, IEnumerable<WorkerState> workers)
    {
        if (slot.Index >= State.Desired)
        {
            return;
        }

        var ours = workers.Where(worker => worker.IsLive && !RolloutMachine.IsNew(State, worker)).ToArray();
        var current = ours.FirstOrDefault(worker => worker.Generation == slot.Generation);
        if (current is null && IsFillable(slot) && IsPrepared(slot.Generation))
        {
            Spawn(slot.Index, slot.Generation);
        }

        var serving = current is { Phase: WorkerPhase.Ready } ? current : ours.FirstOrDefault(worker => worker.Phase == WorkerPhase.Ready);
        foreach (var other in ours.Where(worker => worker != current && worker != serving))
        {
            Worker(other.Id, WorkerEvent.Stop);
        }
    }

    /// <summary>Whether the slot has a worker, or gets one of its own generation now.</summary>
    public bool IsCovered(SlotState slot) =>
        State.IsServed(slot.Index)
        || State.Workers.Any(worker => worker.Slot == slot.Index && worker.Generation == slot.Generation && worker.IsLive)
        || IsFillable(slot);

    private bool IsFillable(SlotState slot) =>
        slot.NextTry is null && !slot.Finished && !slot.Yielded
        && !State.Workers.Any(worker => worker.Slot == slot.Index && worker.Generation == slot.Generation && worker.AwaitsJudgement);

    public void Spawn(int slot, int generation)
    {
        var worker = WorkerMachine.Start(State.NextWorkerId, slot, generation, State.SpecOf(generation), Now);
        State = State with { NextWorkerId = State.NextWorkerId + 1, Workers = State.Workers.Add(worker) };
        _effects.Add(new SpawnEffect(worker));
    }

    public void SetSlot(SlotState slot) => State = State with { Slots = State.Slots.SetItem(slot.Index, slot) };
}
