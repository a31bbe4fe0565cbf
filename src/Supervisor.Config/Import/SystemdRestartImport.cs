using Supervisor.Core;

namespace Supervisor.Config.Import;

/// <summary>The restart settings of a .service unit: Restart=, RestartSec=, RestartMaxDelaySec= and StartLimit*=.</summary>
internal sealed class SystemdRestartImport(SystemdUnit unit, DraftSection service)
{
    private const string NeverGivesUp = "failed starts repeat without end";

    private static readonly Reason NextConnection = Reason.Changed("\"always\", because the socket would start it again");

    private SourceSetting? Burst => unit.Last("Unit", "StartLimitBurst") ?? unit.Last("Service", "StartLimitBurst");

    private SourceSetting? Interval => unit.Last("Unit", "StartLimitIntervalSec")
        ?? unit.Last("Unit", "StartLimitInterval")
        ?? unit.Last("Service", "StartLimitInterval");

    /// <param name="hasSockets">Whether sockets start the service.</param>
    public void Translate(bool hasSockets)
    {
        Policy(hasSockets);
        Backoff();
        Limit();
    }

    /// <summary>A socket starts its service again after any exit, so with sockets the policy is always "always".</summary>
    private void Policy(bool hasSockets)
    {
        var restart = unit.Last("Service", "Restart");
        switch (restart?.Value)
        {
            case "always":
                service.Set("restart.policy", TomlLiteral.Of("always"), restart);
                break;
            case null or "no" or "on-success" or "on-failure" or "on-abnormal" or "on-abort" or "on-watchdog" when hasSockets:
                var remark = restart is null ? "the socket would start it again" : null;
                service.Set("restart.policy", TomlLiteral.Of("always"), restart, remark);
                if (restart is not null)
                {
                    service.Report(restart, NextConnection);
                }

                break;
            case "on-failure":
                service.Set("restart.policy", TomlLiteral.Of("on-failure"), restart);
                break;
            case "on-abnormal" or "on-abort" or "on-watchdog":
                service.Set("restart.policy", TomlLiteral.Of("on-failure"), restart);
                service.Changed(
                    restart, "the nearest policy is \"on-failure\", which also restarts after an exit status other than 0");
                break;
            case "on-success":
                service.Set("restart.policy", TomlLiteral.Of("always"), restart);
                service.Changed(restart, "the nearest policy is \"always\", which also restarts after a failure");
                break;
            case null or "no":
                service.Set("restart.policy", TomlLiteral.Of("never"), restart, restart is null ? "systemd's default" : null);
                break;
            default:
                service.Set("restart.policy", TomlLiteral.Of("never"), restart, "systemd's default");
                service.Report(restart, Reason.NotNeeded("systemd ignores this value too"));
                break;
        }
    }

    /// <summary>RestartSec= is the wait before each start. The default, 100ms, is that of listend, which doubles it.</summary>
    private void Backoff()
    {
        var wait = unit.Last("Service", "RestartSec");
        var longest = unit.Last("Service", "RestartMaxDelaySec");
        if (wait is not null)
        {
            service.SetSpan(wait, "restart.backoff");
        }

        if (longest is not null)
        {
            service.SetSpan(longest, "restart.backoff_max");
        }
        else if (wait is not null && SystemdValues.Span(wait.Value) is { TotalSeconds: >= 1 } span && span <= Duration.Max)
        {
            service.Set("restart.backoff_max", TomlLiteral.Of(span), wait, "RestartSec= is constant");
        }

        if (service.Line("restart.policy") is { Literal: not "\"never\"" } policy && GivesUp(wait))
        {
            var remark = policy.Remark is null ? NeverGivesUp : $"{policy.Remark}; {NeverGivesUp}";
            service.Set(policy.Key, policy.Literal, policy.Origin, remark);
        }
    }

    /// <summary>Whether starts that fail at once reach StartLimitBurst= (5) within StartLimitIntervalSec= (10 s).</summary>
    private bool GivesUp(SourceSetting? wait)
    {
        var between = wait is null ? TimeSpan.FromMilliseconds(100) : SystemdValues.Span(wait.Value) ?? TimeSpan.Zero;
        var interval = Interval is null ? TimeSpan.FromSeconds(10) : SystemdValues.Span(Interval.Value) ?? TimeSpan.Zero;
        var burst = Burst is null ? 5 : SystemdValues.Integer(Burst.Value) ?? 5;
        return interval > TimeSpan.Zero && between.TotalSeconds * Math.Max(0, burst) < interval.TotalSeconds;
    }

    private void Limit()
    {
        if (Burst is { } burst)
        {
            service.SetOrReport(
                burst, "restart.limit", SystemdValues.Integer(burst.Value) is { } limit ? TomlLiteral.Of(limit) : null);
        }

        if (Interval is not { } interval)
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
