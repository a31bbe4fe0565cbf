using Supervisor.Daemon.Control;

namespace Supervisor.Daemon.Tests.Control;

public sealed class MetricTests
{
    [Fact]
    public void The_page_lists_each_metric_as_the_daemon_describes_it()
    {
        var rows = Metric.All.Select(metric => string.Concat(
            $"| `{metric.Name}` | {metric.Type} |",
            string.Concat(metric.Labels.Select((label, index) => $"{(index == 0 ? "" : ",")} `{label}`")),
            $" | {metric.Help} |"));
        Assert.Equal(rows, File.ReadLines(Page()).Where(line => line.StartsWith("| `listend_", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_counter_is_named_as_OpenMetrics_requires() => Assert.All(
        Metric.All, metric => Assert.Equal(metric.Type == "counter", metric.Name.EndsWith("_total", StringComparison.Ordinal)));

    [Fact]
    public void Samples_are_written_below_their_metric_with_escaped_labels()
    {
        var samples = new MetricSamples();
        samples.Add(Metric.Rollouts, 2, "a\"b\\c\n", "done");
        samples.Add(Metric.Upgrades, 1);
        samples.Add(Metric.ConfigDiffers, null);
        Assert.Equal(
            $$"""
            # HELP listend_upgrades_total {{Metric.Upgrades.Help}}.
            # TYPE listend_upgrades_total counter
            listend_upgrades_total 1
            # HELP listend_service_rollouts_total {{Metric.Rollouts.Help}}.
            # TYPE listend_service_rollouts_total counter
            listend_service_rollouts_total{service="a\"b\\c\n",outcome="done"} 2

            """,
            samples.Text);
        Assert.Equal(
            $$"""
            # HELP listend_upgrades {{Metric.Upgrades.Help}}.
            # TYPE listend_upgrades counter
            listend_upgrades_total 1
            # HELP listend_service_rollouts {{Metric.Rollouts.Help}}.
            # TYPE listend_service_rollouts counter
            listend_service_rollouts_total{service="a\"b\\c\n",outcome="done"} 2
            # EOF

            """,
            samples.OpenMetrics);
    }

    private static string Page()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory!.FullName, "Supervisor.sln")))
        {
            directory = directory.Parent;
        }

        return Path.Combine(directory.FullName, "docs", "reference", "metrics.md");
    }
}
