using System.CommandLine;
using Supervisor.Config.Settings;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;
using Supervisor.Listenctl;
using Supervisor.Listenctl.Terminal;
using Supervisor.Listenctl.Verbs;
using Supervisor.Listend.Commands;

namespace Supervisor.Manual;

/// <summary>The man pages: the tables of the parsers, with introductions.</summary>
internal static class Pages
{
    /// <summary>File names and their texts.</summary>
    public static IReadOnlyList<(string Name, string Text)> All() =>
        [("listend.8", Daemon()), ("listenctl.1", Client()), ("listend.toml.5", Settings())];

    private static string Daemon()
    {
        var page = new Roff("listend", 8, "own listening sockets, pass them to workers, supervise the workers")
            .Section("SYNOPSIS")
            .Example(
                """
                listend run [--config PATH]
                listend run --listen ADDRESS... -- COMMAND ARG...
                listend check [--config PATH]
                listend schema
                """)
            .Section("DESCRIPTION")
            .Text(
                "`listend` creates the listening sockets of its configuration and keeps them open. It records each system call with the "
                + "requested value and the kernel's answer. It passes the sockets to workers, which it starts, watches and replaces. "
                + "While no worker accepts connections, they wait in the kernel's queue.")
            .Text("listend.toml(5) describes the configuration. listenctl(1) shows and changes a running daemon.")
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
            .Term("1", "The daemon could not start. `check`: errors.")
            .Term("2", "The command line is invalid.")
            .Section("ENVIRONMENT")
            .Term(
                "NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID",
                "listend reports its readiness and liveness to this socket (sd_notify(3)).")
            .Term(
                "LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES",
                "Descriptors from systemd. listend adopts each as the listener with its name (sd_listen_fds(3)).")
            .Term("JOURNAL_STREAM", "If standard error is the journal, listend logs with the journal's native protocol.")
            .Section("FILES")
            .Term("/etc/listend/listend.toml, /etc/listend/conf.d/*.toml", "The configuration.")
            .Term(
                "/run/listend",
                "control.sock, broker.sock and the notify sockets of the workers. `daemon.runtime_directory` overrides this folder.")
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
            .Term("1", "The operation failed, for example a roll-out was rolled back or an address cannot be bound.")
            .Term("2", "The command line is invalid.")
            .Term("3", "The daemon cannot be reached, or with `-H` the other host.")
            .Term("4", "The user is not permitted to do this.")
            .Term(
                "126, 127",
                "`take`: the command cannot be executed (126) or does not exist (127). Otherwise `take` becomes the command and exits with "
                + "its status.")
            .Section("ENVIRONMENT")
            .Term("LISTEND_CONTROL", "The control socket. `--socket` overrides it.")
            .Term("XDG_RUNTIME_DIR", "The folder in which a user's own daemon has its control socket, as listend/control.sock.")
            .Term("NO_COLOR", "If set, listenctl prints no colours.")
            .Section("SEE ALSO")
            .Text("listend(8), listend.toml(5)")
            .ToString();
    }

    private static string Settings()
    {
        var page = new Roff("listend.toml", 5, "the configuration of listend")
            .Section("DESCRIPTION")
            .Text(
                "The configuration is TOML. listend reads /etc/listend/listend.toml, then /etc/listend/conf.d/*.toml in the order of "
                + "their names, as one configuration.")
            .Text(
                "Addresses are numeric. Durations are strings such as \"500ms\", \"30s\" and \"1m30s\". Sizes are numbers of bytes or "
                + "strings such as \"1MiB\".")
            .Text(
                "An unknown key, a wrong type and a value out of range are errors. `listend check` reports all of them at once.")
            .Text(
                "For a setting of a listener, \"Takes effect at\" names the phase of the socket: create, pre-bind, bind, pre-listen, "
                + "listen, handoff or repair. The phase decides whether a reload can change the setting without a new socket.")
            .Section("EXAMPLE")
            .Example(
                """
                [listener.web]
                address = "tcp://[::]:8080"
                listen = { backlog = 4096 }
                accepted = { no_delay = true }

                [service.api]
                command = ["/srv/api/current/api", "--verbose"]
                listeners = ["web"]
                workers = 4
                user = "api"
                """);
        foreach (var section in SettingTable.All.GroupBy(setting => setting.Section))
        {
            page.Section($"[{section.Key}]");
            foreach (var setting in section)
            {
                var facts = $"Type: {setting.Type.Name} ({setting.Type.Range})."
                    + (setting.IsRequired ? " Required." : setting.Default is { } value ? $" Default: {value}." : "")
                    + (setting.Phase is { } phase ? $" Takes effect at: {phase.ToWireName()}." : "");
                page.Term($"{setting.Key} =", setting.Description + ".", facts);
            }
        }

        page.Section("SOCKET OPTIONS").Text(
            "Each socket option with its level, its setting and the phase in which listend sets it.");
        foreach (var option in SocketOptions.All)
        {
            page.Term(
                option.Name,
                $"Level {option.LevelName}, setting `{option.Setting}`, phase {option.Phase.ToWireName()}. " + option.Inheritance switch
                {
                    OptionInheritance.Inherited => "Accepted connections inherit it.",
                    OptionInheritance.ListenerOnly => "Accepted connections do not inherit it.",
                    _ => "The socket accepts no connections.",
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
}
