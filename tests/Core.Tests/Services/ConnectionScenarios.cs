using Supervisor.Core.Services;
using Supervisor.Core.Workers;

namespace Supervisor.Core.Tests.Services;

/// <summary>start = "per-connection": a worker for each connection, and what each command does to those that run.</summary>
public class ConnectionScenarios
{
    [Fact]
    public void A_connection_starts_a_worker_whose_exit_needs_no_replacement()
    {
        var service = Started().Send(Accepted(2)).Did("spawn 0/1", "spawn 1/1");
        service.ReadyAll().Exit("0/1").Did();
        service.Send(Accepted(1)).Did("spawn 0/1");
        Assert.Equal((3L, 0L), (service.State.Counters.Accepted, service.State.Counters.Failed));
        service.Die("1/1").Did();
        Assert.Equal((1L, ServiceCondition.Running), (service.State.Counters.Failed, service.Condition));
    }

    [Fact]
    public void Several_exits_in_one_step_are_the_same_as_one_after_the_other()
    {
        var service = Started().Send(Accepted(4)).ReadyAll().Forget();
        var ids = service.State.Workers.Select(worker => worker.Id).ToArray();
        service.Send(Ended((ids[0], 0), (ids[2], 1), (99, 1)));
        Assert.Equal([ids[1], ids[3]], service.State.Workers.Select(worker => worker.Id));
        Assert.Equal(1L, service.State.Counters.Failed);
        service.Stop().Send(Ended((ids[1], 0), (ids[3], 1)));
        Assert.Equal((ServiceCondition.Stopped, 1L), (service.Condition, service.State.Counters.Failed));

        static WorkersEnded Ended(params (int Id, int Status)[] all) =>
            new([.. all.Select(one => new WorkerEnded(one.Id, ExitReason.Exited(one.Status)))]);
    }

    [Fact]
    public void The_process_that_an_earlier_daemon_had_not_saved_is_a_worker_with_a_free_slot()
    {
        var service = Started().Send(Accepted(1)).ReadyAll().Forget();
        service.Send(new ConnectionFound(new WorkerConnection("a", "127.0.0.1", "127.0.0.1", 7, 0), 812)).Did();
        var found = service.State.Workers[^1];
        Assert.Equal((1, 812, WorkerPhase.Ready, 7u), (found.Slot, found.Pid, found.Phase, found.Connection!.Port));
        Assert.Equal((2L, found.Id + 1), (service.State.Counters.Accepted, service.State.NextWorkerId));
    }

    [Fact]
    public void A_restart_changes_what_the_next_connection_starts()
    {
        var service = Started().Send(Accepted(1)).ReadyAll().Forget();
        service.Restart().Did();
        Assert.Equal((2, RolloutPhase.Done), (service.State.Generation, service.State.Rollout!.Phase));
        service.Send(Accepted(1)).Did("spawn 1/2");
        service.Restart().Restart();
        Assert.Equal(4, service.State.Generation);
        Assert.Equal(2, service.State.Workers.Length);
    }

    [Fact]
    public void A_stop_drains_the_connections_and_accepts_none()
    {
        var service = Started().Send(Accepted(2)).ReadyAll().Forget();
        service.Stop().Did("stop 0/1", "stop 1/1");
        Assert.Equal(ServiceCondition.Stopping, service.Condition);
        service.Send(Accepted(1)).Did();
        service.EndAll();
        Assert.Equal(ServiceCondition.Stopped, service.Condition);
    }

    [Fact]
    public void A_reload_to_workers_lets_the_connections_finish()
    {
        var service = Started().Send(Accepted(1)).ReadyAll().Forget();
        service.Send(new SpecChanged(Spec with { Start = StartMode.Now }, NewWorkers: false)).Did("spawn 0/1");
        service.ReadyAll();
        Assert.Equal((ServiceCondition.Running, 2), (service.Condition, service.State.Workers.Length));
        service.Send(new SpecChanged(Spec, NewWorkers: true)).Forget();
        Assert.Equal((0, 1), (service.State.Desired, service.State.Workers.Count(worker => worker.IsLive)));
    }

    [Fact]
    public void Pre_start_runs_before_the_first_connection_of_a_generation_and_not_again_after_it_has_failed()
    {
        var service = new FakeService(Spec with { Hooks = new HookSpec { PreStart = ["/bin/true"] } }) { HoldHooks = true }.Start();
        Assert.Equal((false, ServiceCondition.Starting), (service.State.AcceptsConnections, service.Condition));
        service.Send(new HookEnded(HookKind.PreStart, 1, "failed"));
        Assert.Equal((false, ServiceCondition.Failed), (service.State.AcceptsConnections, service.Condition));
        service.Start().Send(new HookEnded(HookKind.PreStart, 1, null));
        Assert.Equal((true, ServiceCondition.Running), (service.State.AcceptsConnections, service.Condition));
        service.Restart();
        Assert.Equal((1, true), (service.State.Generation, service.State.AcceptsConnections));
        service.Send(new HookEnded(HookKind.PreStart, 2, null));
        Assert.Equal((2, true), (service.State.Generation, service.State.AcceptsConnections));
    }

    private static ServiceSpec Spec { get; } = new()
    {
        Name = "echo",
        Command = ["/bin/cat"],
        Listeners = ["a"],
        Start = StartMode.PerConnection,
    };

    private static FakeService Started() => new FakeService(Spec).Start();

    private static ConnectionsAccepted Accepted(int count) => new(
        [.. Enumerable.Range(0, count).Select(number => new WorkerConnection("a", "127.0.0.1", "127.0.0.1", (uint)(1000 + number), 0))],
        Refused: 0);
}
