using System.Runtime.InteropServices;
using Supervisor.Core;
using Supervisor.Daemon.Model;
using Supervisor.Daemon.Reports;
using Supervisor.Daemon.Runtime;
using Supervisor.Daemon.Tests.Fakes;
using Supervisor.Linux.Kernel;

namespace Supervisor.Daemon.Tests.Runtime;

/// <summary>The first signal lets workers drain, the second one kills them, and a restart by systemd leaves them alone.</summary>
public sealed class ShutdownTests : IDisposable
{
    private readonly EventLoop _loop = new(TimeProvider.System);
    private readonly Lifecycle _lifecycle = new();
    private readonly FakeServices _services = new();
    private readonly FakeSystemd _systemd = new();
    private readonly FakeLog _log = new();
    private readonly EventLog _events;
    private Action<bool>? _onKnown;
    private TimeSpan _delay;
    private int _stopped;
    private int _left;

    public ShutdownTests() => _events = new EventLog(_loop);

    [Fact]
    public void The_daemon_exits_after_the_last_worker()
    {
        var shutdown = Shutdown();
        shutdown.OnSignal(PosixSignal.SIGTERM);
        Assert.True(_lifecycle.IsShuttingDown);
        Assert.Equal((1, 0, 0), (_services.Stopped, _services.Killed, _stopped));
        Assert.Equal(["STOPPING=1"], _systemd.TakeAll());
        shutdown.ServiceChanged();
        Assert.Equal(0, _stopped);
        _services.AreGone = true;
        shutdown.ServiceChanged();
        Assert.Equal(1, _stopped);
        Assert.False(shutdown.HasFailed);
    }

    [Fact]
    public void A_second_signal_kills_the_workers()
    {
        var shutdown = Shutdown();
        shutdown.OnSignal(PosixSignal.SIGINT);
        shutdown.OnSignal(PosixSignal.SIGTERM);
        Assert.Equal((1, 1), (_services.Stopped, _services.Killed));
        Assert.Equal([MessageIds.DaemonStopping, MessageIds.DaemonStopForced], _log.Kinds);
    }

    [Fact]
    public void Without_workers_the_daemon_exits_at_once()
    {
        _services.AreGone = true;
        Shutdown().OnSignal(PosixSignal.SIGTERM);
        Assert.Equal(1, _stopped);
    }

    [Fact]
    public void A_service_change_does_not_stop_a_serving_daemon()
    {
        _services.AreGone = true;
        Shutdown().ServiceChanged();
        Assert.Equal(0, _stopped);
    }

    [Fact]
    public void A_restart_by_systemd_leaves_the_workers_to_the_next_daemon()
    {
        Shutdown(isSystemd: true).OnSignal(PosixSignal.SIGTERM);
        Assert.Equal(0, _left);
        _onKnown!(true);
        Assert.Equal((0, 0, 1), (_services.Stopped, _services.Killed, _left));
        Assert.Equal([MessageIds.DaemonRestarting], _log.Kinds);
        Assert.Equal(["STOPPING=1"], _systemd.TakeAll());
    }

    [Fact]
    public void A_stop_by_systemd_lets_the_workers_drain()
    {
        Shutdown(isSystemd: true).OnSignal(PosixSignal.SIGTERM);
        Assert.False(_lifecycle.IsShuttingDown);
        _onKnown!(false);
        Assert.Equal((1, 0), (_services.Stopped, _left));
    }

    [Fact]
    public void An_interrupt_under_systemd_stops_without_a_query()
    {
        Shutdown(isSystemd: true).OnSignal(PosixSignal.SIGINT);
        Assert.Null(_onKnown);
        Assert.Equal(1, _services.Stopped);
    }

    [Fact]
    public void With_a_delay_the_workers_are_stopped_when_it_is_over()
    {
        _delay = TimeSpan.FromSeconds(5);
        var shutdown = Shutdown();
        Assert.Null(shutdown.NextDeadline);
        shutdown.OnSignal(PosixSignal.SIGTERM);
        Assert.Equal((true, false, 0), (_lifecycle.IsStopRequested, _lifecycle.IsShuttingDown, _services.Stopped));
        Assert.Equal(["STOPPING=1", "EXTEND_TIMEOUT_USEC=35000000"], _systemd.TakeAll());
        Assert.Equal(_delay, _lifecycle.Stop!.Delay);
        Assert.InRange(shutdown.NextDeadline!.Value, TimeSpan.FromTicks(1), _loop.Now + _delay);

        // Nobody told the workers: one that exits is a crash, not the end.
        _services.AreGone = true;
        shutdown.ServiceChanged();
        Assert.Equal(0, _stopped);
        _services.AreGone = false;
        shutdown.PassDeadline();
        Assert.Equal((true, 1, 0), (_lifecycle.IsShuttingDown, _services.Stopped, _services.Killed));
        Assert.Null(shutdown.NextDeadline);
        Assert.Equal([MessageIds.DaemonStopDelayed, MessageIds.DaemonStopping], _log.Kinds);
    }

    [Fact]
    public void A_second_signal_ends_the_delay_and_a_third_one_kills()
    {
        _delay = TimeSpan.FromHours(1);
        var shutdown = Shutdown();
        shutdown.OnSignal(PosixSignal.SIGTERM);
        shutdown.OnSignal(PosixSignal.SIGTERM);
        Assert.Equal((1, 0), (_services.Stopped, _services.Killed));
        Assert.Null(shutdown.NextDeadline);
        shutdown.OnSignal(PosixSignal.SIGINT);
        Assert.Equal((1, 1), (_services.Stopped, _services.Killed));
        Assert.Equal([MessageIds.DaemonStopDelayed, MessageIds.DaemonStopping, MessageIds.DaemonStopForced], _log.Kinds);
    }

    [Fact]
    public void A_restart_by_systemd_has_no_delay()
    {
        _delay = TimeSpan.FromHours(1);
        Shutdown(isSystemd: true).OnSignal(PosixSignal.SIGTERM);
        _onKnown!(true);
        Assert.Equal(1, _left);
        Assert.False(_lifecycle.IsStopRequested);
    }

    [Fact]
    public void The_daemon_fails_without_anything_to_serve()
    {
        _services.AreGone = true;
        var shutdown = Shutdown();
        shutdown.BeginBecauseNothingToServe();
        Assert.True(shutdown.HasFailed);
        Assert.Equal(1, _stopped);
        Assert.Equal([MessageIds.NothingToServe], _log.Kinds);
    }

    public void Dispose() => _loop.Dispose();

    private Shutdown Shutdown(bool isSystemd = false) => new(
        _loop, _lifecycle, _services, _events, new SystemdNotify(_systemd, _lifecycle, TimeProvider.System, _log.Log),
        new ShutdownActions(isSystemd ? onKnown => _onKnown = onKnown : null, () => _delay, () => _left++, () => _stopped++), _log.Log);
}
