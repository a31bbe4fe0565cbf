namespace Supervisor.Config.Import;

/// <summary>How a service is stopped and which signals it has, systemd.kill(5).</summary>
internal sealed class SystemdProcess(SystemdUnit unit, DraftSection service)
{
    private static readonly Reason Remaining = Reason.Changed("listend ends the remaining processes after stop_timeout");

    public void Translate()
    {
        KillMode();
        if (unit.Last("Service", "KillSignal") is { } signal)
        {
            service.SetOrReport(signal, "stop_signal", Signal(signal.Value));
        }

        var ignore = unit.Last("Service", "IgnoreSIGPIPE");
        if (ignore is null || SystemdValues.Flag(ignore.Value) != false)
        {
            service.Set("ignore_sigpipe", TomlLiteral.Of(true), ignore, ignore is null ? "systemd ignores SIGPIPE" : null);
        }
    }

    /// <summary>KillMode=control-group is listend's default, "group".</summary>
    private void KillMode()
    {
        switch (unit.Last("Service", "KillMode"))
        {
            case null or { Value: "control-group" }:
                break;
            case { Value: "mixed" } mode:
                service.Set("stop_mode", TomlLiteral.Of("main"), mode);
                break;
            case { Value: "process" or "none" } mode:
                service.Set("stop_mode", TomlLiteral.Of("main"), mode);
                service.Report(mode, Remaining);
                break;
            case { } mode:
                service.Report(mode, Reason.NotNeeded("systemd ignores this value too"));
                break;
        }
    }

    /// <summary>A signal by name, also without SIG, or by number.</summary>
    private static string? Signal(string value) =>
        SystemdValues.Integer(value) is { } number
            ? number is > 0 and < 65 ? TomlLiteral.Of(Values.SignalName.Format((int)number)) : null
            : TomlLiteral.Of(value.StartsWith("SIG", StringComparison.Ordinal) ? value : "SIG" + value);
}
