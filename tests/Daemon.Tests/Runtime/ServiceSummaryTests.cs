using Supervisor.Daemon.Runtime;

namespace Supervisor.Daemon.Tests.Runtime;

/// <summary>The line for systemd looks only at what has changed, and says the same as a look at all services.</summary>
public sealed class ServiceSummaryTests
{
    private readonly Dictionary<string, ServiceStanding> _services = [];
    private readonly ServiceSummary<string> _summary;
    private int _looks;

    public ServiceSummaryTests() => _summary = new(name =>
    {
        _looks++;
        return _services[name];
    });

    [Fact]
    public void A_change_looks_at_one_of_a_thousand_services()
    {
        for (var i = 0; i < 1000; i++)
        {
            Set($"s{i}", "running");
        }

        Assert.Equal("1000 of 1000 services ready", _summary.Serving());
        _looks = 0;
        Set("s7", "degraded", isReady: false);
        Assert.Equal("999 of 1000 services ready; s7 is degraded", _summary.Serving());
        Assert.Equal("999 of 1000 services ready; s7 is degraded", _summary.Serving());
        Assert.Equal(1, _looks);
    }

    [Fact]
    public void The_first_three_services_that_need_a_look_are_named_in_their_order()
    {
        Set("b", "rolling");
        Set("a", "running");
        Set("c", "failed", isReady: false);
        Set("d", "stopped", isReady: false);
        Assert.Equal("2 of 3 services ready; b rolls out; c failed", _summary.Serving());
        Set("a", "rolling");
        Set("b", "rolling");
        Set("d", "rolling");
        Assert.Equal("3 of 4 services ready; b, a, d roll out; c failed", _summary.Serving());
        Set("e", "rolling", isReady: false);
        Assert.Equal("3 of 5 services ready; 4 roll out; c failed", _summary.Serving());
        Set("b", "running");
        Set("a", "running");
        Assert.Equal("3 of 5 services ready; d, e roll out; c failed", _summary.Serving());
    }

    [Fact]
    public void A_removed_service_is_not_counted()
    {
        Set("a", "running", workers: 2);
        Set("b", "degraded", isReady: false);
        Assert.Equal("1 of 2 services ready; b is degraded", _summary.Serving());
        _summary.Note("b");
        _summary.Remove("b");
        _services.Remove("b");
        Assert.Equal("1 of 1 service ready", _summary.Serving());
        Assert.Equal("stopping; 2 workers left", _summary.Stopping());
    }

    [Fact]
    public void A_stop_counts_the_workers_that_are_left()
    {
        Set("a", "stopping", isReady: false, workers: 2);
        Set("b", "stopping", isReady: false, workers: 3);
        Assert.Equal("stopping; 5 workers left", _summary.Stopping());
        Set("b", "stopped", isReady: false, workers: 0);
        Set("a", "stopping", isReady: false, workers: 1);
        Assert.Equal("stopping; 1 worker left", _summary.Stopping());
    }

    private void Set(string name, string state, bool isReady = true, int workers = 1)
    {
        _services[name] = new ServiceStanding(name, state, isReady, workers);
        _summary.Note(name);
    }
}
