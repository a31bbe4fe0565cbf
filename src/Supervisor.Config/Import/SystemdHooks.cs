namespace Supervisor.Config.Import;

/// <summary>
/// The commands before and after a service: ExecStartPre=, ExecStartPost= and ExecStopPost=, and those of its socket units, which run
/// before the service's at the start and after them at the stop.
/// </summary>
internal sealed class SystemdHooks(
    SystemdUnit unit, SystemdVariables variables, IReadOnlyList<SystemdSocketImport> sockets, DraftSection service)
{
    private static readonly Reason OfSocket =
        Reason.Changed("it is a hook of the service: it runs before the first worker of each generation, or after the last one");

    private static readonly Reason BeforeLast =
        Reason.Changed("it is a hook: it runs before the program of the last ExecStart=, once for each generation");

    /// <summary>Variables that systemd sets for these commands, systemd.exec(5).</summary>
    private static readonly string[] OfSystemd = ["MAINPID", "SERVICE_RESULT", "EXIT_CODE", "EXIT_STATUS", "INVOCATION_ID"];

    /// <param name="first">The commands of ExecStart= that run before the last one.</param>
    /// <param name="hasReadiness">Whether post_ready can run: a process of one connection is never ready.</param>
    public void Translate(IReadOnlyList<(SourceSetting Setting, SystemdCommand Command)> first, bool hasReadiness)
    {
        foreach (var (setting, _) in first)
        {
            service.Report(setting, BeforeLast);
        }

        Translate("hooks.pre_start", [.. OfSockets("ExecStartPre"), .. OfSockets("ExecStartPost"), .. Own("ExecStartPre")], first);
        if (hasReadiness)
        {
            Translate("hooks.post_ready", Own("ExecStartPost"), []);
        }

        Translate("hooks.post_stop", [.. Own("ExecStopPost"), .. OfSockets("ExecStopPre"), .. OfSockets("ExecStopPost")], []);
    }

    private List<(SystemdUnit Unit, SourceSetting Setting)> Own(string key) => [.. unit.List("Service", key).Select(one => (unit, one))];

    private IEnumerable<(SystemdUnit Unit, SourceSetting Setting)> OfSockets(string key) =>
        sockets.SelectMany(socket => socket.Unit.List("Socket", key).Select(setting => (socket.Unit, setting)));

    private void Translate(
        string hook,
        List<(SystemdUnit Unit, SourceSetting Setting)> settings,
        IReadOnlyList<(SourceSetting Setting, SystemdCommand Command)> last)
    {
        var commands = new List<SystemdCommand>();
        foreach (var (from, setting) in settings)
        {
            if (SystemdCommand.Read(setting, from, variables, out var reason) is { } read)
            {
                commands.AddRange(read);
                Report(setting, read);
                if (from != unit)
                {
                    service.Report(setting, OfSocket);
                }
            }
            else
            {
                service.Lost(setting, reason);
            }
        }

        foreach (var (setting, command) in last)
        {
            commands.Add(command);
            Report(setting, [command]);
        }

        if (commands.Count > 0)
        {
            service.Set(hook, TomlLiteral.Of(Words(commands)), settings.Count > 0 ? settings[0].Setting : last[0].Setting);
        }
    }

    private void Report(SourceSetting setting, List<SystemdCommand> commands)
    {
        if (commands.Exists(c => SystemdIdentity.LosesRoot(unit, c.Prefixes)))
        {
            service.Lost(setting, "\"+\" and \"!\": listend runs the hook as the service's user, systemd as root");
        }

        if (commands.Exists(c => c.Prefixes.Contains('|')))
        {
            service.Lost(setting, "\"|\": listend starts no login shell");
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
