namespace Supervisor.Config.Import;

/// <summary>The service of a socket with Accept=yes: a process for each connection, systemd.socket(5).</summary>
/// <param name="service">The section to write.</param>
internal sealed class SystemdConnections(DraftSection service)
{
    /// <summary>Settings of systemd that limit how often a socket starts its service, in the order of preference.</summary>
    private static readonly (string Burst, string Interval)[] Rates =
        [("PollLimitBurst", "PollLimitIntervalSec"), ("TriggerLimitBurst", "TriggerLimitIntervalSec")];

    private static readonly Reason Slows = Reason.Changed("further connections wait, and the socket stays open");

    private static readonly Reason Waits =
        Reason.Changed("connections beyond it wait in the accept queue, where systemd closes them");

    private static readonly Reason OnlyOnce =
        Reason.Changed("it runs before the first connection of a generation, not for each connection");

    private static readonly Reason NotReady = Reason.NotNeeded("the process of a connection has no readiness");

    private static readonly Reason NoWatchdog = Reason.Lost("listend watches no process of a connection");

    private static readonly Reason NoRestart = Reason.NotNeeded("the process of a connection is not started again");

    /// <summary>Settings of the service that mean nothing for the process of one connection.</summary>
    private static readonly string[] OfRestarts =
        ["Restart", "RestartSec", "RestartMaxDelaySec", "RestartSteps", "StartLimitBurst", "StartLimitInterval", "StartLimitIntervalSec"];

    /// <summary>Writes the limits of the socket, with which the service starts.</summary>
    public void Translate(SystemdUnit socket)
    {
        service.Set("start", TomlLiteral.Of("per-connection"), socket.Last("Socket", "Accept"));
        service.Set("handoff", TomlLiteral.Of("listen-fds"), null, "the connection is descriptor 3");
        if (socket.Last("Socket", "MaxConnections") is { } most)
        {
            var count = SystemdValues.Integer(most.Value);
            service.SetOrReport(most, "max_connections", count is { } limit ? TomlLiteral.Of(limit) : null);
            if (count > 0)
            {
                service.Report(most, Waits);
            }
        }

        if (socket.Last("Socket", "MaxConnectionsPerSource") is { } each)
        {
            service.SetOrReport(
                each, "max_connections_per_source", SystemdValues.Integer(each.Value) is { } count ? TomlLiteral.Of(count) : null);
        }

        foreach (var (burst, interval) in Rates)
        {
            Rate(socket.Last("Socket", burst), socket.Last("Socket", interval));
        }
    }

    /// <summary>Whether a setting of the service means something else for the process of a connection.</summary>
    public static bool Differs(SourceSetting setting, out Reason reason)
    {
        Reason? found = setting.Key switch
        {
            var key when OfRestarts.Contains(key) => NoRestart,
            "Type" or "TimeoutStartSec" or "NotifyAccess" => NotReady,
            "WatchdogSec" => NoWatchdog,
            "ExecStartPre" => OnlyOnce,
            "ExecStartPost" => Reason.Lost("no program runs after the start of each connection"),
            _ => null,
        };
        reason = found ?? default;
        return found is not null;
    }

    private void Rate(SourceSetting? burst, SourceSetting? interval)
    {
        // Either of them switches the limit off.
        if (burst is null || SystemdValues.Integer(burst.Value) is <= 0
            || (interval is not null && SystemdValues.Span(interval.Value) == TimeSpan.Zero))
        {
            return;
        }

        service.SetOrReport(
            burst, "connection_rate.limit", SystemdValues.Integer(burst.Value) is { } count ? TomlLiteral.Of(count) : null);
        service.Report(burst, Slows);
        if (interval is not null)
        {
            service.SetOrReport(
                interval, "connection_rate.interval",
                SystemdValues.Span(interval.Value) is { } span && span != TimeSpan.MaxValue ? TomlLiteral.Of(span) : null);
        }
        else
        {
            service.Set("connection_rate.interval", TomlLiteral.Of(TimeSpan.FromSeconds(2)), null, "systemd's default");
        }
    }
}
