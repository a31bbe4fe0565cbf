using Supervisor.Core;

namespace Supervisor.Config.Import;

/// <summary>The restart settings of a .service unit: Restart=, RestartSec=, RestartMaxDelaySec= and StartLimit*=.</summary>
internal sealed class SystemdRestartImport(SystemdUnit unit, DraftSection service)
{
    /// <param name="hasSockets">Whether sockets start the service.</param>
    public void Translate(bool hasSockets)
    {
        Policy(hasSockets);
        Backoff();
        Limit();
    }

    private void Policy(bool hasSockets)
    {
        var restart = unit.Last("Service", "Restart");
        switch (restart?.Value)
        {
            case "always" or "on-failure":
                service.SetOrReport(restart, "restart.policy", TomlLiteral.Of(restart.Value));
                break;
            case "on-abnormal" or "on-abort" or "on-watchdog":
                service.SetOrReport(restart, "restart.policy", TomlLiteral.Of("on-failure"));
                service.NoEquivalent(
                    restart, "the nearest policy is \"on-failure\", which also restarts after an exit status other than 0");
                break;
            case null or "no" when hasSockets:
                service.Remarks.Add(
                    "listend replaces a worker that exits at once (restart.policy); systemd waits for the next connection.");
                break;
            case null or "no":
                service.Set("restart.policy", TomlLiteral.Of("never"), restart, restart is null ? "systemd's default" : null);
                break;
            default:
                service.NoEquivalent(restart, "restart.policy is always, on-failure or never");
                break;
        }
    }

    private void Backoff()
    {
        if (unit.Last("Service", "RestartSec") is { } wait)
        {
            service.SetSpan(wait, "restart.backoff");
            if (SystemdValues.Span(wait.Value) is { } span && span > TimeSpan.FromSeconds(30) && span <= Duration.Max)
            {
                service.Set("restart.backoff_max", TomlLiteral.Of(span), wait);
            }
        }

        if (unit.Last("Service", "RestartMaxDelaySec") is { } longest)
        {
            service.SetSpan(longest, "restart.backoff_max");
        }
    }

    private void Limit()
    {
        if ((unit.Last("Unit", "StartLimitBurst") ?? unit.Last("Service", "StartLimitBurst")) is { } burst)
        {
            service.SetOrReport(
                burst, "restart.limit", SystemdValues.Integer(burst.Value) is { } limit ? TomlLiteral.Of(limit) : null);
        }

        var interval = unit.Last("Unit", "StartLimitIntervalSec")
            ?? unit.Last("Unit", "StartLimitInterval")
            ?? unit.Last("Service", "StartLimitInterval");
        if (interval is null)
        {
            return;
        }

        if (SystemdValues.Span(interval.Value) == TimeSpan.Zero)
        {
            service.SetOrReport(interval, "restart.limit", TomlLiteral.Of(0));
        }
        else
        {
            service.SetSpan(interval, "restart.limit_interval");
        }
    }
}
