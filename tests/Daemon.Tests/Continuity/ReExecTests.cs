using Supervisor.Core;
using Supervisor.Daemon.Continuity;
using Supervisor.Daemon.Model;
using Supervisor.Daemon.Reports;
using Supervisor.Daemon.Tests.Fakes;
using Supervisor.Linux.Continuity;

namespace Supervisor.Daemon.Tests.Continuity;

/// <summary>A re-execution: a refusal before execve(), or by it, leaves the daemon as it was.</summary>
public sealed class ReExecTests : IDisposable
{
    private readonly LoopThread _thread = new();
    private readonly Lifecycle _lifecycle = new();
    private readonly FakeReExec _system = new();
    private readonly FakeQuiescence _quiescence = new();
    private readonly FakeLog _log = new();
    private readonly EventLog _events;
    private readonly ReExec _reExec;
    private bool _isReloading;

    public ReExecTests()
    {
        _events = new EventLog(_thread.Loop);
        _reExec = new ReExec(_thread.Loop, _lifecycle, () => _isReloading, _quiescence, _system, _events, _log.Log);
    }

    [Fact]
    public async Task An_accepted_executable_is_executed_when_the_daemon_is_quiet()
    {
        Assert.Equal(("2.0.0", null), await BeginAsync());
        Assert.Equal(0, _system.Executed);
        Assert.Equal(SuccessionPhase.ReExecuting, _lifecycle.Succession);
        await _thread.Do(() => _quiescence.OnQuiet!());
        Assert.Equal(1, _system.Executed);
    }

    [Fact]
    public async Task The_daemon_continues_if_the_kernel_rejects_the_execution()
    {
        await BeginAsync();
        await _thread.Do(() => _quiescence.OnQuiet!());
        AssertContinues(MessageIds.UpgradeFailed);
        Assert.Equal(1, _quiescence.Ended);
        Assert.False(_system.HasDraft);
        Assert.Equal(("2.0.0", null), await BeginAsync());
    }

    [Fact]
    public async Task A_forbidden_executable_is_rejected_before_it_runs()
    {
        _system.Check = () => "not executable";
        Assert.Equal((null, "not executable"), await BeginAsync());
        Assert.Equal(SuccessionPhase.None, _lifecycle.Succession);
        Assert.Equal(0, _quiescence.Begun);
    }

    [Fact]
    public async Task A_check_that_throws_rejects_the_upgrade()
    {
        _system.Check = () => throw new IOException("the disk is gone");
        Assert.Equal((null, "the disk is gone"), await BeginAsync());
        Assert.Equal(SuccessionPhase.None, _lifecycle.Succession);
    }

    [Fact]
    public async Task An_executable_that_cannot_read_the_state_is_rejected()
    {
        _system.Answer = _ => new TrialResult("it exited with status 1", "", "format 9 is not known");
        var (version, refusal) = await BeginAsync();
        Assert.Null(version);
        Assert.Contains("format 9 is not known", refusal, StringComparison.Ordinal);
        AssertContinues(MessageIds.UpgradeRefused);
        Assert.Equal(0, _quiescence.Begun);
    }

    [Theory]
    [InlineData("hello")]
    [InlineData("")]
    [InlineData("""{"version":"2.0.0","format":1,"digest":"00"}""")]
    public async Task A_program_that_does_not_read_the_state_is_rejected(string output)
    {
        _system.Answer = _ => new TrialResult(null, output, "");
        Assert.Null((await BeginAsync()).Version);
        AssertContinues(MessageIds.UpgradeRefused);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(StateVerdict.CheapDigest)]
    public async Task An_executable_may_answer_with_either_digest(string? accepted)
    {
        _system.Answer = state => new TrialResult(null, Verdict(state, accepted), "");
        Assert.Equal(("2.0.0", null), await BeginAsync());
    }

    [Theory]
    [InlineData(null)]
    [InlineData(StateVerdict.CheapDigest)]
    public async Task A_digest_of_another_state_is_rejected(string? accepted)
    {
        _system.Answer = _ => new TrialResult(null, Verdict([1, 2, 4], accepted), "");
        Assert.Null((await BeginAsync()).Version);
        AssertContinues(MessageIds.UpgradeRefused);
    }

    [Fact]
    public async Task A_shutdown_in_the_meantime_takes_precedence()
    {
        await BeginAsync();
        await _thread.Do(_lifecycle.BeginShutdown);
        await _thread.Do(() => _quiescence.OnQuiet!());
        Assert.Equal(0, _system.Executed);
        AssertContinues(MessageIds.UpgradeFailed);
    }

    [Fact]
    public async Task A_file_replaced_after_its_check_is_not_executed()
    {
        await BeginAsync();
        _system.Identity = (1, 2);
        await _thread.Do(() => _quiescence.OnQuiet!());
        Assert.Equal(0, _system.Executed);
        Assert.Equal(1, _quiescence.Ended);
    }

    [Fact]
    public async Task Only_one_succession_is_in_progress()
    {
        await BeginAsync();
        Assert.NotNull((await BeginAsync()).Refusal);
        await _thread.Do(() => _lifecycle.Succession = SuccessionPhase.HandingOver);
        Assert.NotNull((await BeginAsync()).Refusal);
    }

    [Fact]
    public async Task No_succession_starts_during_a_reload_or_a_shutdown()
    {
        _isReloading = true;
        Assert.NotNull((await BeginAsync()).Refusal);
        _isReloading = false;
        _lifecycle.BeginShutdown();
        Assert.NotNull((await BeginAsync()).Refusal);
        Assert.Equal(SuccessionPhase.None, _lifecycle.Succession);
    }

    private static string Verdict(byte[] state, string? accepted) =>
        new StateVerdict("2.0.0", 1, StateVerdict.DigestOf(state, accepted)).ToJson();

    public void Dispose() => _thread.Dispose();

    private async Task<(string? Version, string? Refusal)> BeginAsync() =>
        await (await _thread.Ask(_reExec.BeginAsync)).WaitAsync(Patience.Deadline);

    private void AssertContinues(string kind)
    {
        Assert.Equal(SuccessionPhase.None, _lifecycle.Succession);
        Assert.Contains(kind, _log.Kinds);
        Assert.Contains(_events.Events.After(0, 100).Item1, one => one.Kind == "daemon-upgrade-refused");
    }
}
