using Supervisor.Core;
using Supervisor.Daemon.Model;
using Supervisor.Daemon.Reports;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Runtime;

/// <summary>
/// The line of <c>systemctl status</c>, such as "3 of 4 services ready; api rolls out": STATUS=, sd_notify(3). Sent at the end of a
/// turn that changed it. On the loop, but a thread of the pool sends it, because a full queue of the manager blocks the sender. While
/// one is being sent, only the newest is kept.
/// </summary>
internal sealed class SystemdStatus
{
    private readonly EventLoop _loop;
    private readonly ServiceTable _services;
    private readonly Lifecycle _lifecycle;
    private readonly SystemdNotify _systemd;
    private readonly ServiceSummary<ServiceRunner> _summary = new(Standing);
    private string? _told;
    private bool _isDue;
    private bool _isSending;

    /// <summary>Makes it; the first line is sent by <see cref="Update"/>.</summary>
    public SystemdStatus(EventLoop loop, ServiceTable services, Lifecycle lifecycle, SystemdNotify systemd)
    {
        (_loop, _services, _lifecycle, _systemd) = (loop, services, lifecycle, systemd);
        foreach (var runner in services)
        {
            _summary.Note(runner);
        }
    }

    /// <summary>A service has changed, or was removed.</summary>
    public void Update(ServiceRunner runner)
    {
        if (!_systemd.IsListening)
        {
            return;
        }

        if (_services.Find(runner.Name) == runner)
        {
            _summary.Note(runner);
        }
        else
        {
            _summary.Remove(runner);
        }

        Update();
    }

    /// <summary>The line may have changed: it is compared and sent at the end of this turn.</summary>
    public void Update()
    {
        if (!_isDue && _systemd.IsListening)
        {
            _isDue = true;
            _loop.AtTurnEnd(EndTurn);
        }
    }

    private void EndTurn()
    {
        _isDue = false;
        if (_isSending || Text() is var text && text == _told)
        {
            return;
        }

        _told = text;
        _isSending = true;
        Task.Run(() => _systemd.Status(text)).ContinueWith(_ => _loop.Post(Sent), TaskScheduler.Default);
    }

    private void Sent()
    {
        _isSending = false;
        Update();
    }

    private string Text() => _lifecycle.IsShuttingDown ? _summary.Stopping()
        : _lifecycle.Stop is { } stop ? $"not ready: workers stop {Duration.Format(stop.Delay)} after SIGTERM"
        : _summary.Serving();

    private static ServiceStanding Standing(ServiceRunner runner) => new(
        runner.Name, ServiceDocuments.State(runner), runner.State.IsStarted && runner.State.Ready >= runner.State.Expected,
        runner.State.Workers.Length);
}
