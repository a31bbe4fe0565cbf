using System.Collections.Immutable;
using Supervisor.Core.Rollouts;
using Supervisor.Core.Workers;

namespace Supervisor.Core.Services;

/// <summary>One transition of a service in the making: the state so far, and the effects in their order.</summary>
internal sealed class ServiceTransition
{
    private readonly ImmutableArray<ServiceEffect>.Builder _effects = ImmutableArray.CreateBuilder<ServiceEffect>();
    private readonly ServiceState _before;

    public ServiceTransition(ServiceState state, TimeSpan now)
    {
        State = _before = state;
        Now = now;
    }

    public ServiceState State { get; set; }

    public TimeSpan Now { get; }

    public (ServiceState State, ImmutableArray<ServiceEffect> Effects) Result() => (State, _effects.ToImmutable());

    public void Start()
    {
        if (State.Wanted)
        {
            return;
        }

        State = State with
        {
            Wanted = true,
            Slots = [.. Enumerable.Range(0, State.Desired).Select(index => new SlotState { Index = index, Generation = State.Generation })],
        };
    }

    public void Stop()
    {
        if (!State.Wanted)
        {
            return;
        }

        EndRollout(RolloutPhase.Superseded, "the service was stopped");
        State = State with { Wanted = false };
    }

    public void Scale(int workers)
    {
        State = State with { Desired = workers };
        if (!State.Wanted)
        {
            return;
        }

        var slots = State.Slots;
        while (slots.Length < workers)
        {
            slots = slots.Add(new SlotState { Index = slots.Length, Generation = State.Generation });
        }

        State = State with { Slots = slots };
        if (State.Rollout is { IsActive: true } rollout && rollout.Origins.Length < slots.Length)
        {
            State = State with
            {
                Rollout = rollout with { Origins = rollout.Origins.AddRange(Enumerable.Repeat(rollout.From, slots.Length - rollout.Origins.Length)) },
            };
        }
    }

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

    public void Worker(int workerId, WorkerEvent what)
    {
        if (State.Workers.FirstOrDefault(worker => worker.Id == workerId) is not { } before)
        {
            return;
        }

        var (after, action) = WorkerMachine.Step(before, what, State.Spec, Now);
        Update(workerId, _ => after);
        switch (action)
        {
            case WorkerMachine.Action.Signal:
                _effects.Add(new SignalEffect(after, State.Spec.StopSignal));
                break;
            case WorkerMachine.Action.Kill:
                _effects.Add(new KillEffect(after));
                break;
            case WorkerMachine.Action.None:
                break;
        }

        if (before.Phase == after.Phase)
        {
            return;
        }

        switch (after.Phase)
        {
            case WorkerPhase.Ready:
                Report(ServiceReport.WorkerReady, after);
                if (after.Slot < State.Slots.Length && State.Slots[after.Slot].Generation == after.Generation)
                {
                    SetSlot(State.Slots[after.Slot] with { LimitReached = false, NextTry = null });
                }

                break;
            case WorkerPhase.Draining:
                Report(ServiceReport.WorkerDraining, after);
                break;
            case WorkerPhase.Stopping when after.StartTimedOut:
                Report(ServiceReport.WorkerStartTimedOut, after);
                RolloutMachine.NewWorkerFailed(this, after, StartTimeoutText(after));
                break;
            case WorkerPhase.Killed:
                Report(ServiceReport.WorkerKilled, after);
                break;
            case WorkerPhase.Starting or WorkerPhase.Stopping:
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(what), after.Phase, null);
        }
    }

    public void End(int workerId, ExitReason reason)
    {
        if (State.Workers.FirstOrDefault(worker => worker.Id == workerId) is not { } worker)
        {
            return;
        }

        State = State with { Workers = State.Workers.Remove(worker) };
        if (worker.EndRequested && !worker.StartTimedOut)
        {
            Report(ServiceReport.WorkerLeft, worker, text: reason.Text);
        }
        else
        {
            if (!worker.StartTimedOut)
            {
                Report(ServiceReport.WorkerDied, worker, text: reason.Text);
            }

            // A slot counts the failures of the generation that it is meant for; a new generation's failure is the roll-out's.
            if (State.Wanted && worker.Slot < State.Slots.Length && State.Slots[worker.Slot].Generation == worker.Generation)
            {
                var text = worker.StartTimedOut ? reason with { Text = StartTimeoutText(worker), Clean = false } : reason;
                var slot = RestartDecision.After(State.Slots[worker.Slot], worker, text, State.Spec, Now);
                SetSlot(slot);
                if (slot.Finished)
                {
                    Report(ServiceReport.SlotFinished, worker, slot);
                }
                else if (slot.NextTry is not null)
                {
                    Report(ServiceReport.SlotBackingOff, worker, slot);
                }

                RolloutMachine.OldWorkerFailed(this, worker, reason.Text);
            }

            if (!worker.StartTimedOut)
            {
                RolloutMachine.NewWorkerFailed(this, worker, $"worker {worker.Slot}{(worker.Pid is { } pid ? $" (pid {pid})" : "")} {reason.Text} before it was ready");
            }
        }

        if (!State.Wanted && State.Workers.IsEmpty)
        {
            Report(ServiceReport.ServiceStopped);
        }
    }

    public void PassDeadlines()
    {
        foreach (var worker in State.Workers.Where(worker => worker.Deadline <= Now).ToArray())
        {
            Worker(worker.Id, WorkerEvent.DeadlinePassed);
        }

        for (var i = 0; i < State.Slots.Length; i++)
        {
            if (State.Slots[i].NextTry <= Now)
            {
                SetSlot(State.Slots[i] with { NextTry = null });
            }
        }
    }

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
                Report(ServiceReport.ServiceStopped);
            }

            return;
        }

        RolloutMachine.Advance(this);
        foreach (var slot in State.Slots)
        {
            Cover(slot);
        }

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
    }

    /// <summary>One slot: a live worker of the slot's generation, and all others leave once it is ready.</summary>
    private void Cover(SlotState slot)
    {
        if (slot.Index >= State.Desired)
        {
            return;
        }

        var rollout = State.Rollout is { Phase: RolloutPhase.Replacing } active ? active : null;
        var current = State.Workers.FirstOrDefault(worker => worker.Slot == slot.Index && worker.Generation == slot.Generation && worker.IsLive);
        if (current is null)
        {
            if (slot.NextTry is null && !slot.Finished && !RolloutMachine.HoldsBack(this, slot))
            {
                Spawn(slot.Index, slot.Generation);
            }
        }

        foreach (var other in State.Workers)
        {
            if (other.Slot != slot.Index || other.Generation == slot.Generation || !other.IsLive || other.Generation == rollout?.To)
            {
                continue;
            }

            if (other.Phase == WorkerPhase.Starting || current is { Phase: WorkerPhase.Ready })
            {
                Worker(other.Id, WorkerEvent.Stop);
            }
        }
    }

    public void Spawn(int slot, int generation)
    {
        var worker = WorkerMachine.Start(State.NextWorkerId, slot, generation, State.Spec, Now);
        State = State with { NextWorkerId = State.NextWorkerId + 1, Workers = State.Workers.Add(worker) };
        _effects.Add(new SpawnEffect(worker));
    }

    public void SetSlot(SlotState slot) => State = State with { Slots = State.Slots.SetItem(slot.Index, slot) };

    public void EndRollout(RolloutPhase phase, string? reason = null)
    {
        if (State.Rollout is { IsActive: true } rollout)
        {
            State = State with { Rollout = rollout with { Phase = phase, EndedAt = Now, Reason = rollout.Reason ?? reason } };
            Report(ServiceReport.RolloutEnded);
        }
    }

    public void Report(ServiceReport report, WorkerState? worker = null, SlotState? slot = null, string? text = null) =>
        _effects.Add(new ReportEffect(report, worker, slot, State.Rollout, text));

    private string StartTimeoutText(WorkerState worker) =>
        $"worker {worker.Slot}{(worker.Pid is { } pid ? $" (pid {pid})" : "")} was not ready within start_timeout ({Durations.Text(State.Spec.StartTimeout)})"
        + (State.Spec.Readiness.Kind == ReadinessKind.Notify ? ": it never sent READY=1; if it cannot, set ready = \"started\"" : "");
}
