namespace Supervisor.Config.Import;

/// <summary>The commands before and after a service: ExecStartPre=, ExecStartPost= and ExecStopPost=.</summary>
internal sealed class SystemdHooks(SystemdUnit unit, SystemdVariables variables, DraftSection service)
{
    /// <summary>Variables that systemd sets for these commands, systemd.exec(5).</summary>
    private static readonly string[] OfSystemd = ["MAINPID", "SERVICE_RESULT", "EXIT_CODE", "EXIT_STATUS", "INVOCATION_ID"];

    /// <param name="hasReadiness">Whether post_ready can run: a process of one connection is never ready.</param>
    public void Translate(bool hasReadiness)
    {
        Translate("ExecStartPre", "hooks.pre_start");
        if (hasReadiness)
        {
            Translate("ExecStartPost", "hooks.post_ready");
        }

        Translate("ExecStopPost", "hooks.post_stop");
    }

    private void Translate(string key, string hook)
    {
        var commands = new List<SystemdCommand>();
        var settings = unit.List("Service", key);
        foreach (var setting in settings)
        {
            if (SystemdCommand.Read(setting, unit, variables, out var reason) is { } read)
            {
                commands.AddRange(read);
                Report(setting, read);
            }
            else
            {
                service.Lost(setting, reason);
            }
        }

        if (commands.Count > 0)
        {
            service.Set(hook, TomlLiteral.Of(Words(commands)), settings[0]);
        }
    }

    private void Report(SourceSetting setting, List<SystemdCommand> commands)
    {
        if (commands.Exists(c => c.Prefixes.AsSpan().IndexOfAny("+!|") >= 0))
        {
            service.Changed(setting, "\"+\", \"!\" and \"|\": a hook runs as the user of the service");
        }

        var unknown = commands.SelectMany(c => c.Text.Variables).Distinct().Where(OfSystemd.Contains).ToList();
        if (unknown.Count > 0)
        {
            service.Lost(setting, $"a hook does not get {string.Join(", ", unknown.Select(name => "$" + name))}: it is empty");
        }
    }

    /// <summary>One program without a shell. Several programs, or one that may fail, need a shell.</summary>
    private static IEnumerable<string> Words(List<SystemdCommand> commands)
    {
        if (commands is [{ Text.NeedsShell: false } only] && !only.Prefixes.Contains('-'))
        {
            return only.Text.Words();
        }

        var script = string.Join(" && ", commands.Select(ShellLine));
        return ["/bin/sh", "-c", commands.Exists(c => c.Text.SplitsVariables) ? $"set -f; {script}" : script];
    }

    private static string ShellLine(SystemdCommand command) =>
        command.Prefixes.Contains('-') ? $"{{ {command.Text.ShellLine()} || :; }}" : command.Text.ShellLine();
}
