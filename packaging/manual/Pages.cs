using System.CommandLine;
using Supervisor.Config.Settings;
using Supervisor.Core;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;
using Supervisor.Listenctl;
using Supervisor.Listenctl.Terminal;
using Supervisor.Listenctl.Verbs;
using Supervisor.Listend.Commands;

namespace Supervisor.Manual;

/// <summary>The man pages: the tables of the parsers, with a few sentences around them.</summary>
internal static class Pages
{
    /// <summary>File names and their texts.</summary>
    public static IReadOnlyList<(string Name, string Text)> All() => [("listend.8", Daemon()), ("listenctl.1", Client()), ("listend.toml.5", Settings())];

    private static string Daemon()
    {
        var page = new Roff("listend", 8, "own listening sockets, pass them to workers, supervise the workers")
            .Section("SYNOPSIS")
            .Example("listend run [--config PATH]\nlistend run --listen ADDRESS... -- COMMAND ARG...\nlistend check [--config PATH]\nlistend schema")
            .Section("DESCRIPTION")
            .Text("`listend` creates the listening sockets that its configuration names and keeps them open. It records each system call with the requested value and the kernel's answer. It passes the sockets to workers, which it starts, watches and replaces. While no worker accepts, connections wait in the kernel's queue. listend.toml(5) describes the configuration; listenctl(1) shows and changes a running daemon.")
            .Section("COMMANDS");
        foreach (var command in ListendCommands.Root([]).Subcommands.Where(c => !c.Hidden).OrderBy(c => c.Name, StringComparer.Ordinal))
        {
            Describe(page, command, $"listend {command.Name}");
        }

        return page
            .Section("SIGNALS")
            .Term("SIGTERM, SIGINT", "Drain the workers, then exit. A second signal kills the remaining workers.")
            .Term("SIGHUP", "Read the configuration again and apply the differences, as `listenctl reload` does.")
            .Section("EXIT STATUS")
            .Term("0", "Success. `check`: no errors.")
            .Term("1", "Nothing could be started. `check`: errors.")
            .Term("2", "The command line is wrong.")
            .Section("ENVIRONMENT")
            .Term("NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID", "Where listend reports its own readiness and liveness, sd_notify(3).")
            .Term("LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES", "Descriptors from systemd, which listend adopts as the listeners of these names, sd_listen_fds(3).")
            .Term("JOURNAL_STREAM", "If standard error is the journal, the log goes there by the journal's native protocol.")
            .Section("FILES")
            .Term("/etc/listend/listend.toml, /etc/listend/conf.d/*.toml", "The configuration.")
            .Term("/run/listend", "`daemon.runtime_directory`: control.sock, broker.sock, the workers' notify sockets.")
            .Section("SEE ALSO")
            .Text("listenctl(1), listend.toml(5), systemd.socket(5), sd_listen_fds(3), sd_notify(3)")
            .ToString();
    }

    private static string Client()
    {
        var page = new Roff("listenctl", 1, "inspect and control listend")
            .Section("SYNOPSIS");
        var root = ListenctlProgram.Root(new GlobalOptions(), new CommandContext { Output = Stream.Null, Error = TextWriter.Null });
        page.Example(string.Join('\n', root.Subcommands.OfType<Verb>().Select(verb => $"listenctl {verb.Name} {verb.Usage}".TrimEnd())))
            .Section("OPTIONS");
        foreach (var option in root.Options)
        {
            Describe(page, option);
        }

        page.Section("COMMANDS");
        foreach (var verb in root.Subcommands.OfType<Verb>())
        {
            Describe(page, verb, $"listenctl {verb.Name} {verb.Usage}".TrimEnd());
        }

        return page
            .Section("EXIT STATUS")
            .Term("0", "Success.")
            .Term("1", "The operation failed: a roll-out that was rolled back, an address that cannot be bound.")
            .Term("2", "The command line is wrong.")
            .Term("3", "The daemon cannot be reached.")
            .Term("4", "The user is not permitted to do this.")
            .Section("ENVIRONMENT")
            .Term("LISTEND_CONTROL", "The control socket, unless --socket names it.")
            .Term("XDG_RUNTIME_DIR", "The folder of the control socket of a user's own daemon.")
            .Term("NO_COLOR", "If set, no colours.")
            .Section("SEE ALSO")
            .Text("listend(8), listend.toml(5)")
            .ToString();
    }

    private static string Settings()
    {
        var page = new Roff("listend.toml", 5, "the configuration of listend")
            .Section("DESCRIPTION")
            .Text("TOML: /etc/listend/listend.toml, then /etc/listend/conf.d/*.toml in the order of their names, as one configuration. Addresses are numeric. Durations are strings such as \"500ms\", \"30s\" and \"1m30s\". Sizes are numbers of bytes or strings such as \"1MiB\". An unknown key, a wrong type and a value out of range are errors; `listend check` reports all of them at once. The section of a setting is the moment at which the setting takes effect, because that decides whether it can be changed later.")
            .Section("EXAMPLE")
            .Example("[listener.web]\naddress = \"tcp://[::]:8080\"\nlisten = { backlog = 4096 }\naccepted = { no_delay = true }\n\n[service.api]\ncommand = [\"/srv/api/current/api\", \"--verbose\"]\nlisteners = [\"web\"]\nworkers = 4\nuser = \"api\"");
        foreach (var section in SettingTable.All.GroupBy(setting => setting.Section))
        {
            page.Section($"[{section.Key}]");
            foreach (var setting in section)
            {
                var facts = $"{Capitalised(setting.Type.Name)}: {setting.Type.Range}."
                    + (setting.IsRequired ? " Required." : setting.Default is { } value ? $" Default: {value}." : "")
                    + (setting.Phase is { } phase ? $" Takes effect at: {phase.ToWireName()}." : "");
                page.Term($"{setting.Key} =", Capitalised(setting.Description) + ".", facts);
            }
        }

        page.Section("SOCKET OPTIONS").Text("The socket option of each setting, when listend sets it, and whether accepted connections inherit it.");
        foreach (var option in SocketOptions.All)
        {
            page.Term(
                option.Name,
                $"{option.LevelName}, `{option.Setting}`, {option.Phase.ToWireName()}; " + option.Inheritance switch
                {
                    OptionInheritance.Inherited => "inherited by accepted connections.",
                    OptionInheritance.ListenerOnly => "only for the listener.",
                    _ => "does not concern accepted connections.",
                });
        }

        return page.Section("SEE ALSO").Text("listend(8), listenctl(1), socket(7), tcp(7), ip(7), unix(7)").ToString();
    }

    private static void Describe(Roff page, Command command, string usage)
    {
        page.Subsection(usage).Text((command.Description ?? "") + ".");
        foreach (var argument in command.Arguments.Where(a => !a.Hidden && !string.IsNullOrEmpty(a.Description)))
        {
            page.Term(argument.Name, argument.Description + ".");
        }

        foreach (var option in command.Options)
        {
            Describe(page, option);
        }
    }

    private static void Describe(Roff page, Option option)
    {
        if (!option.Hidden)
        {
            var names = string.Join(", ", option.Aliases.Prepend(option.Name).Where(name => name.StartsWith('-')).Distinct());
            page.Term(option.HelpName is { } value ? $"{names} {value}" : names, (option.Description ?? "") + ".");
        }
    }

    private static string Capitalised(string text) => char.ToUpperInvariant(text[0]) + text[1..];
}
