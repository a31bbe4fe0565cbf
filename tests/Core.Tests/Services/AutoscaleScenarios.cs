using Supervisor.Core.Services;

namespace Supervisor.Core.Tests.Services;

/// <summary><c>autoscale</c>: the number of workers follows the accept queue.</summary>
public sealed class AutoscaleScenarios
{
    private static readonly AutoscaleSpec Bounds = new()
    {
        Min = 2,
        Max = 8,
        Queue = 16,
        UpAfter = TimeSpan.FromSeconds(2),
        DownAfter = TimeSpan.FromSeconds(10),
    };

    private AutoscalePolicy _policy;

    [Fact]
    public void The_first_number_is_within_the_bounds()
    {
        Assert.Equal(2, Serving(Bounds, workers: 1).State.Desired);
        Assert.Equal(4, Serving(Bounds, workers: 4).State.Desired);
        Assert.Equal(1, Serving(new AutoscaleSpec(), workers: 1).State.Desired);
    }

    [Fact]
    public void A_burst_doubles_the_workers_up_to_the_highest_number()
    {
        var service = Serving(Bounds);
        Sample(service, 17, seconds: 2);
        Assert.Equal(4, service.State.Desired);

        // The new workers start: what waits now says nothing about them.
        Sample(service, 17, seconds: 5);
        Assert.Equal(4, service.State.Desired);
        service.ReadyAll();
        Sample(service, 17, seconds: 2);
        Assert.Equal(8, service.State.Desired);
        service.ReadyAll();
        Sample(service, 1000, seconds: 10);
        Assert.Equal(8, service.State.Desired);
    }

    [Fact]
    public void A_short_peak_and_a_queue_between_the_thresholds_change_nothing()
    {
        var service = Serving(Bounds);
        Sample(service, 17, seconds: 1);
        Sample(service, 16, seconds: 1);
        Sample(service, 17, seconds: 1);
        Assert.Equal(2, service.State.Desired);
        service.Send(new ScaleRequested(4)).ReadyAll();
        Sample(service, 5, seconds: 60);
        Assert.Equal(4, service.State.Desired);
    }

    [Fact]
    public void Workers_drain_one_by_one_down_to_the_lowest_number()
    {
        var service = Serving(Bounds, workers: 4);
        service.Forget();
        Sample(service, 4, seconds: 10);
        Assert.Contains(service.Reports, report => report.Report == ServiceReport.ServiceAutoscaled);
        service.Did("stop 3/1");
        Sample(service, 0, seconds: 10);
        service.Did("stop 2/1");
        Sample(service, 0, seconds: 60);
        Assert.Equal(2, service.State.Desired);
    }

    [Fact]
    public void Nothing_scales_during_a_rollout()
    {
        var service = Serving(Bounds).Restart();
        Sample(service, 1000, seconds: 10);
        service.Send(new AutoscaleRequested(4, "from outside"));
        Assert.Equal(2, service.State.Desired);
    }

    [Fact]
    public void A_reload_keeps_the_number_within_the_new_bounds()
    {
        var service = Serving(Bounds, workers: 4);
        var spec = service.State.Spec;
        service.Send(new SpecChanged(spec with { Autoscale = Bounds with { Max = 3 } }, NewWorkers: false));
        Assert.Equal(3, service.State.Desired);
        service.Send(new SpecChanged(spec with { Autoscale = Bounds with { Max = 9 } }, NewWorkers: false));
        Assert.Equal(3, service.State.Desired);
        service.Send(new SpecChanged(spec with { Autoscale = new AutoscaleSpec() }, NewWorkers: false));
        Assert.Equal(4, service.State.Desired);
    }

    /// <summary>Samples each half second.</summary>
    private void Sample(FakeService service, int waiting, int seconds)
    {
        for (var i = 0; i <= seconds * 2; i++)
        {
            (_policy, var change) = _policy.Sample(service.State, waiting, service.Now);
            if (change is not null)
            {
                service.Send(change);
                return;
            }

            service.Advance(TimeSpan.FromSeconds(0.5));
        }
    }

    private static FakeService Serving(AutoscaleSpec autoscale, int workers = 2) => new FakeService(new ServiceSpec
    {
        Name = "api",
        Command = ["/bin/api"],
        Workers = workers,
        Autoscale = autoscale,
    }).Start().ReadyAll();
}
