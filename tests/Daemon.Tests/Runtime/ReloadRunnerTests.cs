using Supervisor.Config;
using Supervisor.Control;
using Supervisor.Core;
using Supervisor.Daemon.Model;
using Supervisor.Daemon.Runtime;
using Supervisor.Daemon.Tests.Fakes;

namespace Supervisor.Daemon.Tests.Runtime;

/// <summary>systemd waits for the READY=1 at the end of a reload, so there is one whatever comes of the reload.</summary>
public sealed class ReloadRunnerTests : IDisposable
{
    private const string Reloading = "RELOADING=1";
    private const string Ready = "READY=1";

    private readonly LoopThread _thread = new();
    private readonly Lifecycle _lifecycle = new();
    private readonly FakeSystemd _systemd = new();
    private readonly FakeLog _log = new();
    private Func<ConfigResult> _load = () => new ConfigResult(null, []);
    private Func<ReloadDocument> _apply = () => new ReloadDocument(false, true, null, [], [], [], "nothing has changed");

    [Fact]
    public async Task A_signal_reloads()
    {
        await Runner().OnSignalAsync(by: null).WaitAsync(Patience.Deadline);
        Assert.Equal([Reloading, Ready], _systemd.TakeAll());
    }

    [Fact]
    public async Task Files_that_cannot_be_read_end_the_reload()
    {
        _load = () => throw new InvalidOperationException("a defect");
        await Runner().OnSignalAsync(by: null).WaitAsync(Patience.Deadline);
        Assert.Equal([Reloading, Ready], [await _systemd.NextAsync(), await _systemd.NextAsync()]);
        Assert.Equal([MessageIds.ReloadRefused], _log.Kinds);
    }

    [Fact]
    public async Task A_plan_that_throws_ends_the_reload()
    {
        _apply = () => throw new InvalidOperationException("a defect");
        await Runner().OnSignalAsync(by: null).WaitAsync(Patience.Deadline);
        Assert.Equal([Reloading, Ready], _systemd.TakeAll());
        Assert.Equal([MessageIds.ReloadRefused], _log.Kinds);
    }

    [Fact]
    public async Task The_client_gets_the_failure_of_a_reload()
    {
        _load = () => throw new InvalidOperationException("a defect");
        var runner = Runner();
        await Assert.ThrowsAsync<InvalidOperationException>(() => Task.Run(() => runner.RunAsync(dryRun: false, by: null)));
        Assert.Equal([Reloading, Ready], [await _systemd.NextAsync(), await _systemd.NextAsync()]);
    }

    [Fact]
    public async Task A_dry_run_does_not_notify_systemd()
    {
        Assert.Equal("nothing has changed", (await Runner().RunAsync(dryRun: true, by: null)).Message);
        Assert.Empty(_systemd.TakeAll());
    }

    [Fact]
    public async Task The_end_of_a_reload_does_not_cancel_a_shutdown()
    {
        _lifecycle.BeginShutdown();
        await Runner().OnSignalAsync(by: null).WaitAsync(Patience.Deadline);
        Assert.Equal([Reloading], _systemd.TakeAll());
    }

    public void Dispose() => _thread.Dispose();

    private ReloadRunner Runner() => new(
        _thread.Loop, _ => _load(), (_, _, _) => _apply(),
        new SystemdNotify(_systemd, _lifecycle, TimeProvider.System, _log.Log), _log.Log);
}
