using Supervisor.Core;
using Supervisor.Daemon.Continuity;
using Supervisor.Daemon.Model;
using Supervisor.Daemon.Reports;
using Supervisor.Daemon.Tests.Fakes;
using Supervisor.Linux.Handoff;
using Supervisor.Native;

namespace Supervisor.Daemon.Tests.Continuity;

/// <summary>The running daemon's side of a take-over: it exits after the commit, and continues in every other case.</summary>
public sealed class LiveTakeoverTests : IDisposable
{
    private readonly LoopThread _thread = new();
    private readonly Lifecycle _lifecycle = new();
    private readonly FakeTakeover _system = new();
    private readonly FakeQuiescence _quiescence = new();
    private readonly FakeLog _log = new();
    private readonly DescriptorHandle _link;
    private readonly DescriptorHandle _other;
    private readonly LiveTakeover _takeover;
    private bool _isReloading;

    public LiveTakeoverTests()
    {
        Assert.Null(DescriptorPassing.Pair(out var link, out var other));
        (_link, _other) = (link!, other!);
        _takeover = new LiveTakeover(_lifecycle, () => _isReloading, _quiescence, _system, new EventLog(_thread.Loop), _log.Log);
    }

    [Fact]
    public void The_daemon_exits_after_the_commit()
    {
        Assert.Null(Begin());
        Assert.Equal(SuccessionPhase.HandingOver, _lifecycle.Succession);
        Assert.Empty(_system.Steps);
        _quiescence.OnQuiet!();
        Assert.Equal(["send", "await commit", "exit"], _system.Steps);
        Assert.Contains(MessageIds.TakeoverDone, _log.Kinds);
    }

    [Fact]
    public void A_successor_that_receives_nothing_does_not_take_over()
    {
        _system.SendFailure = "it has exited";
        Begin();
        _quiescence.OnQuiet!();
        Assert.Equal(["send"], _system.Steps);
        AssertContinues();
    }

    [Fact]
    public void The_daemon_stays_in_charge_without_a_commit()
    {
        _system.CommitFailure = "it timed out";
        Begin();
        _quiescence.OnQuiet!();
        Assert.Equal(["send", "await commit"], _system.Steps);
        AssertContinues();
    }

    [Fact]
    public void A_shutdown_in_the_meantime_takes_precedence()
    {
        Begin();
        _lifecycle.BeginShutdown();
        _quiescence.OnQuiet!();
        Assert.Empty(_system.Steps);
        AssertContinues();
    }

    [Fact]
    public void A_process_without_permission_cannot_take_over()
    {
        _system.Obstacle = "a hook runs";
        Assert.Equal("a hook runs", Begin()?.Message);
        _system.Obstacle = null;
        _isReloading = true;
        Assert.NotNull(Begin());
        _isReloading = false;
        _lifecycle.Succession = SuccessionPhase.ReExecuting;
        Assert.NotNull(Begin());
        Assert.Equal(0, _quiescence.Begun);
    }

    public void Dispose()
    {
        _link.Dispose();
        _other.Dispose();
        _thread.Dispose();
    }

    private Core.Protocols.BrokerError? Begin() => _takeover.Begin(BrokerPeer.Of(_link)!, () => _link);

    private void AssertContinues()
    {
        Assert.Equal(SuccessionPhase.None, _lifecycle.Succession);
        Assert.Equal(1, _quiescence.Ended);
        Assert.Contains(MessageIds.TakeoverFailed, _log.Kinds);
    }
}
