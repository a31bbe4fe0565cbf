namespace Supervisor.Config.Import;

/// <summary>The commands before and after a service: ExecStartPre=, ExecStartPost= and ExecStopPost=.</summary>
internal sealed class SystemdHooks(SystemdUnit unit, DraftSection service)
{
    public void Translate()
    {
        Translate("ExecStartPre", "hooks.pre_start");
        Translate("ExecStartPost", "hooks.post_ready");
        Translate("ExecStopPost", "hooks.post_stop");
    }

    private void Translate(string key, string hook)
    {
        var commands = new List<SystemdCommand>();
        var settings = unit.List("Service", key).ToList();
        foreach (var setting in settings)
        {
            if (SystemdCommand.Read(setting, unit, out var reason) is { } read)
            {
                commands.AddRange(read);
            }
            else
            {
                service.NoEquivalent(setting, reason);
            }
        }

        if (commands.Count == 0)
        {
            return;
        }

        service.Set(hook, TomlLiteral.Of(Words(commands)), settings[0]);
        if (commands.Exists(c => c.Prefixes.AsSpan().IndexOfAny("+!|") >= 0))
        {
            service.NoEquivalent(settings[0], "\"+\", \"!\" and \"|\": a hook runs as the user of the service");
        }
    }

    /// <summary>One program without a shell. Several programs, or one that may fail, need a shell.</summary>
    private static IEnumerable<string> Words(List<SystemdCommand> commands) =>
        commands is [{ Text.NeedsShell: false } only] && !only.Prefixes.Contains('-')
            ? only.Text.Words()
            : ["/bin/sh", "-c", string.Join(" && ", commands.Select(ShellLine))];

    private static string ShellLine(SystemdCommand command) =>
        command.Prefixes.Contains('-') ? $"{{ {command.Text.ShellLine()} || :; }}" : command.Text.ShellLine();
}
