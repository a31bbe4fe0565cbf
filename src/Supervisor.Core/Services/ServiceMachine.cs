using System.Collections.Immutable;

namespace Supervisor.Core.Services;

/// <summary>
/// A service as a pure function: (state, event, now) to (state, effects).
/// </summary>
/// <remarks>
/// An event first changes its subject. Then the machine reconciles the whole: every slot gets a live worker of its generation,
/// and any other worker drains as soon as that worker is ready, never before. A roll-out only decides when a slot's generation
/// changes (<see cref="RolloutMachine"/>). Replacement after a crash, roll-out, rollback and scaling follow from this rule
/// without special cases.
/// Invariant: the daemon never drains a slot's ready worker before another worker of the slot is ready, unless the service is
/// stopped or scaled down, or its strategy vacates slots.
/// <see cref="WorkerMachine"/> has a worker's own states, <see cref="RestartDecision"/> what follows its exit, and
/// <see cref="RolloutMachine"/> the priority between stop, roll-out, canary and hooks.
/// </remarks>
public static class ServiceMachine
{
    /// <summary>The transition. The time matters only if a deadline has passed.</summary>
    public static (ServiceState State, ImmutableArray<ServiceEffect> Effects) Step(ServiceState state, ServiceEvent what, TimeSpan now)
    {
        var step = new ServiceStep(state, now);
        switch (what)
        {
            case StartRequested:
                step.Service.Start();
                break;
            case DemandAwaited:
                step.Service.AwaitDemand();
                break;
            case StartHeld held:
                step.Service.HoldStart(held.For);
                break;
            case HoldChanged held:
                step.Service.ChangeHold(held.For);
                break;
            case DemandArrived when state is { AwaitsDemand: true, IsStarted: false }:
                step.Report(ServiceReport.DemandArrived);
                step.Service.Start(byDemand: true);
                break;
            case IdleElapsed when state is { IsStarted: true, Spec.Start: StartMode.OnDemand, Rollout: not { IsActive: true } }:
                step.Report(ServiceReport.ServiceIdle);
                step.Service.Stop();
                step.Service.AwaitDemand();
                break;
            case DemandArrived or IdleElapsed:
                // A command or a roll-out came first.
                break;
            case KillRequested:
                step.Workers.KillAll();
                break;
            case StopRequested:
                step.Service.Stop();
                break;
            case RestartRequested when !state.IsStarted:
                // As in systemd: without a worker to replace, it is a start.
                step.Service.Start();
                break;
            case RestartRequested restart:
                step.Rollout.Begin(restart.By ?? "a further restart");
                break;
            case ReplaceRequested replace when state is { IsStarted: true, Rollout: not { IsActive: true } }:
                step.Slots.Replace(replace.Slot);
                break;
            case ReplaceRequested:
                // A stop or a roll-out came first.
                break;
            case SpecChanged changed:
                step.Service.Change(changed.Spec, changed.NewWorkers, changed.HeldFor);
                break;
            case PromoteRequested:
                step.Rollout.Promote("on request");
                break;
            case AbortRequested:
                step.Rollout.Abort();
                break;
            case ScaleRequested scale:
                step.Service.Scale(scale.Workers);
                break;
            case ConnectionsAccepted accepted:
                step.Connections.Accepted(accepted);
                break;
            case ConnectionFound found:
                step.Connections.Found(found);
                break;
            case AutoscaleRequested scale:
                step.Service.Autoscale(scale);
                break;
            case WorkerSpawned spawned:
                step.Workers.Spawned(spawned.WorkerId, spawned.Pid);
                break;
            case WorkersSpawned several:
                foreach (var spawned in step.Connections.Spawned(several.Workers))
                {
                    step.Workers.Spawned(spawned.WorkerId, spawned.Pid);
                }

                break;
            case WorkerReady ready:
                step.Workers.Happened(ready.WorkerId, WorkerEvent.Ready);
                break;
            case WorkerLeaving leaving:
                step.Workers.Happened(leaving.WorkerId, WorkerEvent.StoppingAnnounced);
                break;
            case WorkerMainProcess main:
                step.Update(main.WorkerId, worker => worker with { Pid = main.Pid });
                break;
            case WorkerAlive alive:
                step.Workers.Happened(alive.WorkerId, WorkerEvent.Alive);
                break;
            case WorkerHung hung:
                step.Workers.Happened(hung.WorkerId, WorkerEvent.WatchdogTriggered);
                break;
            case WorkerDue due:
                step.Replacements.Mark(due.WorkerId, due.Cause, due.Text);
                break;
            case WorkerWatchdogSet set:
                step.Update(set.WorkerId, worker => WorkerMachine.SetWatchdog(worker, set.Interval, now));
                break;
            case WorkerTimeoutExtended extended:
                step.Update(extended.WorkerId, worker => WorkerMachine.Extend(worker, extended.By, now));
                break;
            case WorkerRestartsReset reset:
                step.Slots.ForgetRestarts(reset.WorkerId);
                break;
            case WorkerSeen seen:
                // Why a worker that has failed was not ready is known already, and its end changes what is seen.
                step.Update(seen.WorkerId, worker => worker.Phase == WorkerPhase.Starting ? worker with { Seen = seen.What } : worker);
                break;
            case WorkerMainEnded ended:
                step.Workers.MainEnded(ended.WorkerId, ended.Reason);
                break;
            case WorkerRemains remains:
                step.Workers.Remains(remains);
                break;
            case ConnectionsCut cut:
                step.Rollout.Cut(cut.Count);
                break;
            case WorkerAbandoned abandoned:
                step.Workers.Abandoned(abandoned.WorkerId, abandoned.What);
                break;
            case WorkerEnded ended:
                step.Workers.Ended(ended.WorkerId, ended.Reason);
                break;
            case WorkersEnded several:
                foreach (var ended in step.Connections.Ended(several.Workers))
                {
                    step.Workers.Ended(ended.WorkerId, ended.Reason);
                }

                break;
            case HookEnded hook:
                step.Hooks.Ended(hook);
                break;
            case TimePassed:
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(what), what, null);
        }

        PassDeadlines(step);
        step.Slots.Reconcile();
        step.Service.ForgetSpecs();
        return (step.State, step.Effects);
    }

    private static void PassDeadlines(ServiceStep step)
    {
        step.Workers.PassDeadlines();
        step.Replacements.PassAges();
        if (step.State is { IsStarted: true, Rollout: { } rollout } && rollout.PromotedAt <= step.Now)
        {
            step.Rollout.Promote($"canary_hold ({Duration.Rounded(step.State.SpecOf(rollout.To).Rollout.CanaryHold)}) is over");
        }

        step.Slots.PassDeadlines();
    }
}
