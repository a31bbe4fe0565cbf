using Supervisor.Core.Services;
using Supervisor.Core.Tests.Services;

namespace Supervisor.Core.Tests.Rollouts;

/// <summary>Each phase of a roll-out against each event: the priority between stop, restart, abort, failure, promotion and hooks.</summary>
public class PriorityTable
{
    /// <summary>The phase of the roll-out after the event; "superseded" also where another one follows it.</summary>
    public static TheoryData<string, string, string> Cells => new()
    {
        // A roll-out that waits has no worker yet, so there is nothing that a rollback would have to wait for.
        { "waiting", "stop", "superseded" },
        { "waiting", "restart", "superseded" },
        { "waiting", "abort", "rolled-back" },
        { "waiting", "promote", "waiting" },
        { "waiting", "old worker dies", "waiting" },
        { "waiting", "time", "waiting" },

        { "preparing", "stop", "superseded" },
        { "preparing", "restart", "superseded" },
        { "preparing", "abort", "rolled-back" },
        { "preparing", "pre_start fails", "rolled-back" },
        { "preparing", "pre_start succeeds", "replacing" },
        { "preparing", "old worker dies", "replacing" },

        { "replacing", "stop", "superseded" },
        { "replacing", "restart", "superseded" },
        { "replacing", "abort", "rolling-back" },
        { "replacing", "promote", "replacing" },
        { "replacing", "new worker dies", "rolled-back" },
        { "replacing", "old worker dies", "replacing" },
        { "replacing", "time", "rolling-back" },

        { "canary", "stop", "superseded" },
        { "canary", "restart", "superseded" },
        { "canary", "abort", "rolling-back" },
        { "canary", "promote", "replacing" },
        { "canary", "new worker dies", "rolling-back" },
        { "canary", "old worker dies", "canary" },
        { "canary", "time", "replacing" },

        { "draining", "stop", "superseded" },
        { "draining", "restart", "superseded" },
        { "draining", "abort", "rolling-back" },
        { "draining", "promote", "draining" },
        { "draining", "new worker dies", "draining" },
        { "draining", "old worker dies", "done" },

        { "rolling-back", "stop", "superseded" },
        { "rolling-back", "restart", "superseded" },
        { "rolling-back", "abort", "rolling-back" },
        { "rolling-back", "promote", "rolling-back" },
        { "rolling-back", "new worker dies", "rolling-back" },
        { "rolling-back", "old worker cannot start", "failed" },
    };

    [Theory]
    [MemberData(nameof(Cells))]
    public void Each_phase_handles_each_event(string phase, string what, string expected)
    {
        var service = In(phase);
        var rollout = service.State.Rollout!.To;
        Assert.Equal(phase == "preparing" ?
            RolloutPhase.Replacing :
            Enum.Parse<RolloutPhase>(phase.Replace("-", "", StringComparison.Ordinal), ignoreCase: true), service.RolloutPhase);
        service.Forget();
        Do(service, what);
        var last = service.Reports.Select(report => report.Rollout).LastOrDefault(state => state?.To == rollout) ?? service.State.Rollout!;
        var after = service.State.Rollout!.To == rollout ? service.State.Rollout : last;
        Assert.Equal(expected, after.Phase == RolloutPhase.Waiting ? "waiting" : after.Phase.ToWireName());
    }

    private static FakeService In(string phase)
    {
        var spec = new ServiceSpec
        {
            Name = "a",
            Command = ["/bin/a"],
            Workers = 2,
            Rollout = new RolloutSpec { MaxGenerations = phase == "waiting" ? 2 : 3 }
        };
        spec = phase switch
        {
            "canary" => spec with { Rollout = spec.Rollout with { Canary = 1, CanaryHold = TimeSpan.FromSeconds(60) } },
            "preparing" => spec with { Hooks = new HookSpec { PreStart = ["/bin/prepare"] } },
            _ => spec,
        };
        var service = new FakeService(spec).Start().ReadyAll();
        service.HoldHooks = true;
        service.Restart();
        return phase switch
        {
            "waiting" => service.Ready("0/2").Ready("1/2").Restart(),
            "preparing" or "replacing" => service,
            "canary" => service.Ready("0/2").EndAll(),
            "draining" => service.Ready("0/2").Ready("1/2"),
            "rolling-back" => service.Ready("0/2").EndAll().Abort(),
            _ => throw new ArgumentOutOfRangeException(nameof(phase), phase, null),
        };
    }

    private static void Do(FakeService service, string what)
    {
        var rollout = service.State.Rollout!;
        switch (what)
        {
            case "stop":
                service.Stop();
                break;
            case "restart":
                service.Restart();
                break;
            case "abort":
                service.Abort();
                break;
            case "promote":
                service.Promote();
                break;
            case "time":
                service.Advance(61);
                break;
            case "pre_start succeeds":
                service.EndHook();
                break;
            case "pre_start fails":
                service.Unprepared.Add(rollout.To);
                service.EndHook();
                break;
            case "new worker dies":
                service.Die(FakeService.Name(service.State.Workers.First(worker => worker.Generation == rollout.To)));
                break;
            case "old worker dies":
                foreach (var old in service.State.Workers.Where(worker => worker.Generation == rollout.From).Select(FakeService.Name)
                    .ToArray())
                {
                    service.Die(old);
                }

                break;
            case "old worker cannot start":
                service.Die(FakeService.Name(
                    service.State.Workers.First(worker => worker.Generation == rollout.From && worker.Phase == WorkerPhase.Starting)));
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(what), what, null);
        }
    }
}
