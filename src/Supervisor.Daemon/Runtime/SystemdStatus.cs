using System.Globalization;
using Supervisor.Core;
using Supervisor.Core.Services;
using Supervisor.Daemon.Model;
using Supervisor.Daemon.Reports;
using Supervisor.Linux.Kernel;

namespace Supervisor.Daemon.Runtime;

/// <summary>
/// The line of <c>systemctl status</c>, such as "3 of 4 services ready; api rolls out": STATUS=, sd_notify(3). Sent at the end of a
/// turn that changed it. On the loop, but a thread of the pool sends it, because a full queue of the manager blocks the sender. While
/// one is being sent, only the newest is kept.
/// </summary>
internal sealed class SystemdStatus
{
    /// <summary>How many services of one kind the line names.</summary>
    private const int MostNames = 3;

    private readonly EventLoop _loop;
    private readonly ServiceTable _services;
    private readonly Lifecycle _lifecycle;
    private readonly SystemdNotify _systemd;
    private string? _told;
    private bool _isDue;
    private bool _isSending;

    /// <summary>Makes it; the first line is sent by <see cref="Update"/>.</summary>
    public SystemdStatus(EventLoop loop, ServiceTable services, Lifecycle lifecycle, SystemdNotify systemd) =>
        (_loop, _services, _lifecycle, _systemd) = (loop, services, lifecycle, systemd);

    /// <summary>A service may have changed: at the end of this turn the line is compared and sent.</summary>
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

    private string Text()
    {
        if (_lifecycle.IsShuttingDown)
        {
            var workers = _services.Sum(runner => runner.State.Workers.Length);
            return string.Create(CultureInfo.InvariantCulture, $"stopping; {Count(workers, "worker")} left");
        }

        if (_lifecycle.Stop is { } stop)
        {
            return $"not ready: workers stop {Duration.Format(stop.Delay)} after SIGTERM";
        }

        var states = _services.Select(runner => (runner.Name, State: ServiceDocuments.State(runner), Ready: IsReady(runner.State)))
            .ToArray();
        var started = states.Where(service => service.State is not "stopped" and not "stopping").ToArray();
        string[] parts =
        [
            string.Create(
                CultureInfo.InvariantCulture, $"{started.Count(one => one.Ready)} of {Count(started.Length, "service")} ready"),
            .. Named("rolling", "rolls out", "roll out"),
            .. Named("degraded", "is degraded", "are degraded"),
            .. Named("failed", "failed", "failed"),
        ];
        return string.Join("; ", parts);

        IEnumerable<string> Named(string state, string one, string many)
        {
            var names = states.Where(service => service.State == state).Select(service => service.Name).ToArray();
            return names.Length switch
            {
                0 => [],
                1 => [$"{names[0]} {one}"],
                <= MostNames => [$"{string.Join(", ", names)} {many}"],
                _ => [string.Create(CultureInfo.InvariantCulture, $"{names.Length} {many}")],
            };
        }
    }

    private static bool IsReady(ServiceState state) => state.IsStarted && state.Ready >= state.Expected;

    private static string Count(int number, string word) =>
        string.Create(CultureInfo.InvariantCulture, $"{number} {word}{(number == 1 ? "" : "s")}");
}
