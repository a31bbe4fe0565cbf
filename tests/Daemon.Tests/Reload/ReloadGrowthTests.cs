using System.Globalization;
using Supervisor.Config;
using Supervisor.Config.Diagnostics;
using Supervisor.Config.Validation;
using Supervisor.Core.State;
using Supervisor.Daemon.Model;
using Supervisor.Daemon.Reload;
using Supervisor.Daemon.Reports;
using Supervisor.Daemon.Tests.Fakes;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Output;

namespace Supervisor.Daemon.Tests.Reload;

/// <summary>What a reload that changes nothing allocates for a listener does not depend on how many there are.</summary>
public sealed class ReloadGrowthTests
{
    private const int Few = 100;
    private const int Many = 1000;
    private const double MostGrowth = 1.5;

    [Fact]
    public async Task A_reload_allocates_the_same_for_each_of_a_hundred_and_of_a_thousand_listeners()
    {
        var few = await AllocatedAsync(Few) / (double)Few;
        var many = await AllocatedAsync(Many) / (double)Many;
        Assert.True(many <= few * MostGrowth, $"{few:0} bytes for each of {Few}, {many:0} for each of {Many}");
    }

    private static async Task<long> AllocatedAsync(int count)
    {
        using var thread = new LoopThread();
        using var runtime = new TemporaryRuntime();
        var log = new FakeLog();
        var factory = new ListenerFactory(TimeProvider.System, log.Log);
        var listeners = new ListenerTable(factory);
        var events = new EventLog(thread.Loop);
        var text = string.Concat(Enumerable.Range(0, count).Select(i => string.Create(
            CultureInfo.InvariantCulture, $"[listener.l{i}]\naddress = \"tcp://127.0.0.1:0\"\n")));
        var loaded = RuleSet.For(Profile.Reload).Validate(ConfigParser.Parse([new ConfigSource("listend.toml", text)], new()));
        return await thread.Ask(() =>
        {
            var reloader = new Reloader(new ReloadContext(
                thread.Loop, new DaemonInfo(null, runtime.Paths, IsDirectoryGiven: true, DateTimeOffset.UnixEpoch, 0), new Lifecycle(),
                new ConfigInForce(new ListendConfig(), new ConfigOrigin()), listeners,
                new ServiceTable(_ => throw new NotSupportedException()), events,
                new ChangeRequests(events, new LogLimit(thread.Loop, log.Log), log.Log),
                new DriftWatch(thread.Loop, factory), factory, new ConflictWatch(thread.Loop, factory, log.Log), () => { }, log.Log));
            try
            {
                Assert.True(reloader.Apply(loaded, dryRun: false, by: null).Applied);
                reloader.Apply(loaded, dryRun: false, by: null);
                var before = GC.GetAllocatedBytesForCurrentThread();
                reloader.Apply(loaded, dryRun: false, by: null);
                return GC.GetAllocatedBytesForCurrentThread() - before;
            }
            finally
            {
                reloader.Close();
                listeners.Close();
            }
        });
    }
}
