using System.Globalization;
using CsCheck;
using Supervisor.Core.Services;
using Supervisor.Core.Workers;

namespace Supervisor.Core.Tests.Services;

/// <summary>
/// Random commands, ends of workers and jumps of time against the machine; after each single transition the rules of
/// <see cref="ServiceRules"/> are checked, and in the end everything goes well and the service must come to rest.
/// </summary>
public class ServiceProperties
{
    private static readonly Gen<RolloutSpec> Rollouts =
        from strategy in Gen.OneOf(RolloutStrategy.Rolling, RolloutStrategy.Rolling, RolloutStrategy.Overlap, RolloutStrategy.StopFirst)
        from surge in Gen.OneOf(0, 1, 1, 2, 3, 4)
        from unavailable in surge == 0 ? Gen.Int[1, 3] : Gen.OneOf(0, 0, 1, 2)
        from settle in Gen.OneOf(0, 0, 3, 40)
        from rollback in Gen.OneOf(RolloutFailurePolicy.Rollback, RolloutFailurePolicy.Rollback, RolloutFailurePolicy.Stop)
        from canary in Gen.OneOf(0, 0, 1, 2, 9)
        from hold in Gen.OneOf(0, 5, 60)
        from generations in Gen.OneOf(2, 3, 3)
        select new RolloutSpec
        {
            Canary = canary,
            CanaryHold = TimeSpan.FromSeconds(hold),
            MaxGenerations = generations,
            Strategy = strategy,
            MaxSurge = surge,
            MaxUnavailable = unavailable,
            Settle = TimeSpan.FromSeconds(settle),
            OnFailure = rollback
        };

    private static readonly Gen<ServiceSpec> Specs =
        from rollout in Rollouts
        from workers in Gen.Int[1, 5]
        from policy in Gen.OneOf(
            RestartPolicy.Always,
            RestartPolicy.Always,
            RestartPolicy.Always,
            RestartPolicy.OnFailure,
            RestartPolicy.Never)
        from limit in Gen.OneOf(0, 2, 5)
        from started in Gen.OneOf(false, false, false, true)
        from watchdog in Gen.OneOf(0, 0, 3)
        from hooks in Gen.OneOf(false, false, true)
        from onDemand in Gen.OneOf(false, false, true)
        select new ServiceSpec
        {
            Start = onDemand ? StartMode.OnDemand : StartMode.Now,
            Name = "api",
            Command = ["/srv/api"],
            Workers = workers,
            Rollout = rollout,
            Readiness = started ? Readiness.Started : Readiness.Notify,
            Restart = new RestartSpec { Policy = policy, Limit = limit },
            StopTimeout = TimeSpan.FromSeconds(20),
            Watchdog = TimeSpan.FromSeconds(watchdog),
            Hooks = hooks ? new HookSpec { PreStart = ["/pre"], PostReady = ["/ready"], PostStop = ["/stop"] } : new HookSpec(),
        };

    private static readonly Gen<Move> Moves = Gen.Frequency(
        (3, Gen.Const(new Move(Kind.Restart, 0))),
        (1, Gen.Const(new Move(Kind.Stop, 0))),
        (2, Gen.Const(new Move(Kind.Promote, 0))),
        (1, Gen.Const(new Move(Kind.AwaitDemand, 0))),
        (2, Gen.Const(new Move(Kind.Demand, 0))),
        (1, Gen.Const(new Move(Kind.Idle, 0))),
        (1, Gen.Const(new Move(Kind.Abort, 0))),
        (2, Gen.Const(new Move(Kind.Start, 0))),
        (2, Gen.Int[1, 5].Select(n => new Move(Kind.Scale, n))),
        (2, Gen.Int[0, 999].Select(n => new Move(Kind.Change, n))),
        (10, Gen.Int[0, 9].Select(n => new Move(Kind.Ready, n))),
        (3, Gen.Const(new Move(Kind.ReadyAll, 0))),
        (4, Gen.Int[0, 9].Select(n => new Move(Kind.Die, n))),
        (2, Gen.Int[0, 9].Select(n => new Move(Kind.Exit, n))),
        (2, Gen.Int[0, 9].Select(n => new Move(Kind.Leave, n))),
        (2, Gen.Int[0, 9].Select(n => new Move(Kind.Alive, n))),
        (1, Gen.Int[0, 9].Select(n => new Move(Kind.Hang, n))),
        (1, Gen.Int[0, 9].Select(n => new Move(Kind.Extend, n))),
        (1, Gen.Int[0, 9].Select(n => new Move(Kind.SetWatchdog, n))),
        (6, Gen.Int[0, 9].Select(n => new Move(Kind.EndOne, n))),
        (3, Gen.Const(new Move(Kind.EndAll, 0))),
        (1, Gen.Const(new Move(Kind.HoldHooks, 0))),
        (2, Gen.Const(new Move(Kind.EndHook, 0))),
        (1, Gen.Int[0, 1].Select(n => new Move(Kind.UnprepareNewest, n))),
        (1, Gen.Const(new Move(Kind.BreakNewest, 0))),
        (1, Gen.Const(new Move(Kind.Mend, 0))),
        (5, Gen.Const(new Move(Kind.NextDeadline, 0))),
        (3, Gen.Int[1, 3000].Select(n => new Move(Kind.Advance, n))),
        (1, Gen.Int[1, 100_000].Select(n => new Move(Kind.Jump, n))));

    private enum Kind
    {
        Restart, Promote, AwaitDemand, Demand, Idle, Abort, Stop, Start, Scale, Change, Ready, ReadyAll, Die, Exit, Leave, Alive, Hang,
        Extend, SetWatchdog, EndOne, EndAll, HoldHooks, EndHook, UnprepareNewest, BreakNewest, Mend, NextDeadline, Advance, Jump,
    }

    [Fact]
    public void A_service_keeps_its_invariants_and_settles() =>
        Gen.Select(Specs, Moves.Array[1, 60]).Sample(
            (spec, moves) => Play(spec, moves),
            iter: Iterations.Of(4_000),
            print: sample => $"{Print(sample.Item1)}\n{string.Join(", ", (IEnumerable<Move>)sample.Item2)}");

    private static void Play(ServiceSpec spec, Move[] moves)
    {
        var service = new FakeService(spec) { Observer = ServiceRules.Check };
        service.Start();
        foreach (var move in moves)
        {
            Make(service, move);
        }

        service.Settle();
        try
        {
            ServiceRules.CheckAtRest(service.State);
        }
        catch (RuleBrokenException e)
        {
            throw new RuleBrokenException($"{e.Message}; {service.Describe()}");
        }
    }

    private static void Make(FakeService service, Move move)
    {
        switch (move.Kind)
        {
            case Kind.Restart:
                service.Restart();
                break;
            case Kind.Promote:
                service.Promote();
                break;
            case Kind.AwaitDemand:
                service.Send(new DemandAwaited());
                break;
            case Kind.Demand:
                service.Send(new DemandArrived());
                break;
            case Kind.Idle:
                service.Send(new IdleElapsed());
                break;
            case Kind.Abort:
                service.Abort();
                break;
            case Kind.Stop:
                service.Stop();
                break;
            case Kind.Start:
                service.Start();
                break;
            case Kind.Scale:
                service.Scale(move.Number);
                break;
            case Kind.Change:
                service.Change(Changed(service.State.Spec, move.Number));
                break;
            case Kind.Ready:
                One(worker => worker.Phase == WorkerPhase.Starting, worker => new WorkerReady(worker.Id));
                break;
            case Kind.ReadyAll:
                service.ReadyAll();
                break;
            case Kind.Die:
                One(_ => true, worker => new WorkerEnded(worker.Id, ExitReason.Signalled(11, true)));
                break;
            case Kind.Exit:
                One(_ => true, worker => new WorkerEnded(worker.Id, ExitReason.Exited(0)));
                break;
            case Kind.Leave:
                One(_ => true, worker => new WorkerLeaving(worker.Id));
                break;
            case Kind.Alive:
                One(_ => true, worker => new WorkerAlive(worker.Id));
                break;
            case Kind.Hang:
                One(_ => true, worker => new WorkerHung(worker.Id));
                break;
            case Kind.Extend:
                One(_ => true, worker => new WorkerTimeoutExtended(worker.Id, TimeSpan.FromSeconds(move.Number * 5)));
                break;
            case Kind.SetWatchdog:
                One(_ => true, worker => new WorkerWatchdogSet(worker.Id, TimeSpan.FromSeconds(move.Number)));
                break;
            case Kind.EndOne:
                One(worker => !worker.IsLive, worker => new WorkerEnded(worker.Id, ExitReason.Exited(0)));
                break;
            case Kind.EndAll:
                service.EndAll();
                break;
            case Kind.HoldHooks:
                service.HoldHooks = !service.HoldHooks;
                break;
            case Kind.EndHook:
                service.EndHook();
                break;
            case Kind.UnprepareNewest:
                service.Unprepared.Add(service.State.NewestGeneration + move.Number);
                break;
            case Kind.BreakNewest:
                service.Broken.Add(service.State.NewestGeneration);
                break;
            case Kind.Mend:
                service.Broken.Clear();
                service.Unprepared.Clear();
                break;
            case Kind.NextDeadline:
                service.Advance(service.State.NextDeadline is { } next ? next - service.Now : TimeSpan.Zero);
                break;
            case Kind.Advance:
                service.Advance(TimeSpan.FromMilliseconds(move.Number));
                break;
            case Kind.Jump:
                service.Jump(TimeSpan.FromMilliseconds(move.Number));
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(move));
        }

        void One(Func<WorkerState, bool> which, Func<WorkerState, ServiceEvent> what)
        {
            var some = service.State.Workers.Where(which).ToArray();
            if (some.Length > 0)
            {
                service.Send(what(some[move.Number % some.Length]));
            }
        }
    }

    /// <summary>The digits are what a reload finds changed: what needs no new worker, what does, or nothing.</summary>
    private static ServiceSpec Changed(ServiceSpec spec, int number) => spec with
    {
        StopTimeout = number % 2 == 0 ? spec.StopTimeout : TimeSpan.FromSeconds(5 + (number % 7)),
        Environment = number % 3 == 0 ?
            spec.Environment :
            spec.Environment.SetItem("A", (number % 5).ToString(CultureInfo.InvariantCulture)),
        Workers = number / 10 % 3 == 0 ? 1 + (number % 5) : spec.Workers,
        Readiness = number / 100 == 1 ? Readiness.Started : number / 100 == 2 ? Readiness.Notify : spec.Readiness,
        Rollout = number / 100 is 3 or 4 ? spec.Rollout with
        {
            Strategy = (RolloutStrategy)(number % 3),
            MaxSurge = number / 10
            % 3,
            MaxUnavailable = number / 10 % 3 == 0 ? 1 + (number % 2) : number % 2
        } : spec.Rollout,
        Hooks = number / 100 == 5 ? new HookSpec { PreStart = number % 2 == 0 ? ["/pre"] : [] } : spec.Hooks,
    };

    private static string Print(ServiceSpec spec) => string.Create(
        CultureInfo.InvariantCulture,
        $"workers {spec.Workers}, {spec.Rollout.Strategy} surge {spec.Rollout.MaxSurge} unavailable {spec.Rollout.MaxUnavailable} "
        + $"settle {spec.Rollout.Settle.TotalSeconds} canary {spec.Rollout.Canary} hold {spec.Rollout.CanaryHold.TotalSeconds} "
        + $"generations {spec.Rollout.MaxGenerations} {spec.Rollout.OnFailure}, {spec.Restart.Policy} limit {spec.Restart.Limit}, ready "
        + $"{spec.Readiness.Kind}, watchdog {spec.Watchdog.TotalSeconds}, hooks {!spec.Hooks.PreStart.IsEmpty}");

    private sealed record Move(Kind Kind, int Number)
    {
        public override string ToString() => Kind is Kind.Scale or Kind.Change or Kind.Ready or Kind.Die or Kind.Exit or Kind.Leave
            or Kind.Alive or Kind.Hang or Kind.Extend or Kind.SetWatchdog or Kind.EndOne or Kind.Advance or Kind.Jump
            ? $"{Kind} {Number}"
            : Kind.ToString();
    }
}
