using Supervisor.Core.Services;
using Supervisor.Core.Workers;

namespace Supervisor.Core.Tests.Services;

/// <summary>A worker is more than its main process: the others are waited for, killed, or left behind.</summary>
public class WholeWorkerTests
{
    private static readonly ExitReason Crashed = ExitReason.Exited(1);

    private static ServiceSpec Spec(RolloutSpec? rollout = null) => new()
    {
        Name = "api",
        Command = ["/srv/api"],
        StopTimeout = TimeSpan.FromSeconds(10),
        Rollout = rollout ?? new RolloutSpec { Settle = TimeSpan.Zero },
    };

    [Fact]
    public void A_crashed_worker_is_replaced_while_its_processes_remain()
    {
        var (state, effects) = Step(Running(), new WorkerMainEnded(1, Crashed), 20);
        Assert.Contains(effects, effect => effect is SpawnEffect);
        Assert.Contains(effects, effect => effect is ReportEffect { Report: ServiceReport.WorkerDied });
        (state, effects) = Step(state, new WorkerRemains(1, Crashed, 2, "2 processes"), 20);
        Assert.Contains(effects, effect => effect is ReportEffect { Report: ServiceReport.WorkerRemains });
        Assert.Equal((WorkerPhase.Draining, TimeSpan.FromSeconds(30)), (state.Workers[0].Phase, state.Workers[0].Deadline));
        (state, effects) = Step(state, new WorkerEnded(1, Crashed), 25);
        Assert.Contains(effects, effect => effect is ReportEffect { Report: ServiceReport.WorkerLeft });
        Assert.DoesNotContain(effects, effect => effect is ReportEffect { Report: ServiceReport.WorkerDied });
        Assert.Equal(1, state.Slots[0].Restarts);
        Assert.Equal([2], state.Workers.Select(worker => worker.Id));
    }

    [Fact]
    public void A_slot_that_may_not_have_two_workers_waits_for_the_whole_worker()
    {
        var (state, effects) = Step(
            Running(new RolloutSpec { Strategy = RolloutStrategy.StopFirst, Settle = TimeSpan.Zero }), new WorkerMainEnded(1, Crashed), 20);
        Assert.DoesNotContain(effects, effect => effect is SpawnEffect);
        (_, effects) = Step(state, new WorkerEnded(1, Crashed), 25);
        Assert.Contains(effects, effect => effect is SpawnEffect);
    }

    [Fact]
    public void A_stopped_service_is_stopped_when_the_whole_worker_has_exited()
    {
        var (state, _) = Step(Running(), new StopRequested(), 20);
        (state, _) = Step(state, new WorkerRemains(1, ExitReason.Exited(0), 1, "a process"), 21);
        Assert.Equal(ServiceCondition.Stopping, state.Condition);
        (state, var effects) = Step(state, new TimePassed(), 30);
        Assert.Contains(effects, effect => effect is KillEffect);
        (state, effects) = Step(state, new TimePassed(), 40);
        Assert.Contains(effects, effect => effect is AbandonEffect);
        (state, effects) = Step(state, new WorkerAbandoned(1, "pid 1 in state D"), 41);
        Assert.Contains(effects, effect => effect is ReportEffect { Report: ServiceReport.WorkerAbandoned });
        Assert.Equal(ServiceCondition.Stopped, state.Condition);
    }

    [Fact]
    public void A_roll_out_ends_when_the_whole_old_worker_has_exited_and_counts_what_was_cut()
    {
        var (state, _) = Step(Running(), new RestartRequested(), 20);
        (state, _) = Step(state, new WorkerSpawned(2, 12), 20);
        (state, _) = Step(state, new WorkerReady(2), 21);
        (state, _) = Step(state, new WorkerRemains(1, ExitReason.Exited(0), 1, "a process"), 22);
        Assert.Equal(RolloutPhase.Draining, state.Rollout!.Phase);
        (state, _) = Step(state, new ConnectionsCut(1, 3), 23);
        (state, _) = Step(state, new WorkerEnded(1, ExitReason.Exited(0)), 24);
        Assert.Equal((RolloutPhase.Done, 3, 3L), (state.Rollout!.Phase, state.Rollout.Cut, state.Cut));
        Assert.EndsWith(
            "; 3 connections cut", RolloutText.Of(RolloutFigures.Of(state, state.Rollout, TimeSpan.FromSeconds(24))),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_request_to_stop_kills_at_once()
    {
        var (state, _) = Step(Running(), new StopRequested(), 20);
        var (killed, effects) = Step(state, new KillRequested(), 21);
        Assert.Contains(effects, effect => effect is KillEffect);
        Assert.Equal(WorkerPhase.Killed, killed.Workers[0].Phase);
    }

    [Fact]
    public void One_worker_is_replaced_when_the_new_one_is_ready()
    {
        var (state, effects) = Step(Running(), new ReplaceRequested(0), 20);
        Assert.Contains(effects, effect => effect is SpawnEffect { Worker: { Id: 2, Generation: 1 } });
        (state, _) = Step(state, new WorkerSpawned(2, 12), 20);
        Assert.Equal(WorkerPhase.Ready, state.Workers[0].Phase);
        (state, effects) = Step(state, new WorkerReady(2), 21);
        Assert.Contains(effects, effect => effect is SignalEffect { Worker.Id: 1 });
        (state, _) = Step(state, new WorkerEnded(1, ExitReason.Exited(0)), 22);
        Assert.Equal(2, Assert.Single(state.Workers).Id);
        Assert.Equal(0, state.Slots[0].Restarts);
    }

    [Fact]
    public void A_replacement_that_fails_changes_nothing()
    {
        var (state, _) = Step(Running(), new ReplaceRequested(0), 20);
        (state, _) = Step(state, new WorkerSpawned(2, 12), 20);
        (state, var effects) = Step(state, new WorkerEnded(2, Crashed), 21);
        Assert.DoesNotContain(effects, effect => effect is SpawnEffect or SignalEffect);
        Assert.Equal([(1, WorkerPhase.Ready, false)], state.Workers.Select(worker => (worker.Id, worker.Phase, worker.IsReplaced)));
        Assert.Equal(Crashed, state.Slots[0].LastExit);
    }

    private static ServiceState Running(RolloutSpec? rollout = null)
    {
        var (state, _) = Step(ServiceState.Create(Spec(rollout)), new StartRequested(), 0);
        (state, _) = Step(state, new WorkerSpawned(1, 11), 0);
        return Step(state, new WorkerReady(1), 1).State;
    }

    private static (ServiceState State, System.Collections.Immutable.ImmutableArray<ServiceEffect> Effects) Step(
        ServiceState state, ServiceEvent what, int seconds) => ServiceMachine.Step(state, what, TimeSpan.FromSeconds(seconds));
}
