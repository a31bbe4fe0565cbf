using System.Collections.Immutable;

namespace Supervisor.Core.Services;

/// <summary>
/// A service as a pure function: (state, event, now) to (state, effects).
/// </summary>
/// <remarks>
/// Each event first changes what it is about, then the whole is brought in line: every slot is to have a live worker of
/// the generation that the slot is meant for, and a worker of any other generation leaves as soon as that one is ready,
/// never before. A roll-out only decides when a slot's meaning changes (<see cref="RolloutMachine"/>). From this one rule
/// follow replacement after a crash, roll-out, roll-back and scaling; none of them needs a case of its own.
/// Invariant: by no act of ours does a slot lose its ready worker before another one of the slot is ready, unless the
/// service is stopped, scaled down, or its strategy says stop-first.
/// </remarks>
public static class ServiceMachine
{
    /// <summary>The transition. Time only matters where a deadline has passed.</summary>
    public static (ServiceState State, ImmutableArray<ServiceEffect> Effects) Step(ServiceState state, ServiceEvent what, TimeSpan now)
    {
        var transition = new ServiceTransition(state, now);
        switch (what)
        {
            case StartRequested:
                transition.Start();
                break;
            case DemandAwaited:
                transition.AwaitDemand();
                break;
            case DemandArrived when state is { AwaitsDemand: true, Wanted: false }:
                transition.Report(ServiceReport.DemandArrived);
                transition.Start();
                break;
            case IdleElapsed when state is { Wanted: true, Spec.Start: StartMode.OnDemand, Rollout: not { IsActive: true } }:
                transition.Report(ServiceReport.ServiceIdle);
                transition.Stop();
                transition.AwaitDemand();
                break;
            case DemandArrived or IdleElapsed:
                // Somebody was quicker: a command, or a roll-out.
                break;
            case StopRequested:
                transition.Stop();
                break;
            case RestartRequested when !state.Wanted:
                // As systemd does: there is nobody to replace, so it is a start.
                transition.Start();
                break;
            case RestartRequested:
                RolloutMachine.Begin(transition);
                break;
            case SpecChanged changed:
                transition.Change(changed.Spec, changed.NewWorkers);
                break;
            case PromoteRequested:
                RolloutMachine.Promote(transition, "as asked");
                break;
            case AbortRequested:
                RolloutMachine.Abort(transition);
                break;
            case ScaleRequested scale:
                transition.Scale(scale.Workers);
                break;
            case WorkerSpawned spawned:
                transition.Spawned(spawned.WorkerId, spawned.Pid);
                break;
            case WorkersSpawned several:
                foreach (var spawned in several.Workers)
                {
                    transition.Spawned(spawned.WorkerId, spawned.Pid);
                }

                break;
            case WorkerReady ready:
                transition.Worker(ready.WorkerId, WorkerEvent.Ready);
                break;
            case WorkerLeaving leaving:
                transition.Worker(leaving.WorkerId, WorkerEvent.StoppingAnnounced);
                break;
            case WorkerMainProcess main:
                transition.Update(main.WorkerId, worker => worker with { Pid = main.Pid });
                break;
            case WorkerAlive alive:
                transition.Worker(alive.WorkerId, WorkerEvent.Alive);
                break;
            case WorkerHung hung:
                transition.Worker(hung.WorkerId, WorkerEvent.WatchdogTriggered);
                break;
            case WorkerWatchdogSet set:
                transition.Update(set.WorkerId, worker => WorkerMachine.SetWatchdog(worker, set.Interval, now));
                break;
            case WorkerTimeoutExtended extended:
                transition.Update(extended.WorkerId, worker => WorkerMachine.Extend(worker, extended.By, now));
                break;
            case WorkerSeen seen:
                transition.Update(seen.WorkerId, worker => worker with { Seen = seen.What });
                break;
            case WorkerEnded ended:
                transition.End(ended.WorkerId, ended.Reason);
                break;
            case HookEnded hook:
                transition.HookEnded(hook);
                break;
            case TimePassed:
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(what), what, null);
        }

        transition.PassDeadlines();
        transition.Reconcile();
        return transition.Result();
    }
}
