using System.CommandLine;
using Supervisor.Config.Settings;
using Supervisor.Core;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;
using Supervisor.Daemon.Commands;
using Supervisor.Listenctl;
using Supervisor.Listenctl.Terminal;
using Supervisor.Listenctl.Verbs;

namespace Supervisor.Manual;

/// <summary>The man pages: what the tables of the parsers say, with a few words around it.</summary>
internal static class Pages
{
    /// <summary>File names and their texts.</summary>
    public static IReadOnlyList<(string Name, string Text)> All() => [("listend.8", Daemon()), ("listenctl.1", Client()), ("listend.toml.5", Settings())];

    private static string Daemon()
    {
        var page = new Roff("listend", 8, "owns listening sockets, lends them to workers, supervises the workers")
            .Section("SYNOPSIS")
            .Example("listend run [--config PATH]\nlistend run --listen ADDRESS... -- COMMAND ARG...\nlistend check [--config PATH]\nlistend schema")
            .Section("DESCRIPTION")
            .Text("`listend` makes the listening sockets that its configuration names, writes down each system call with what was asked and what the kernel answered, and keeps the descriptors for as long as the configuration names them. It lends them to workers, which it starts, watches and replaces; while a worker is away, connections wait in the kernel's queue. What listend.toml(5) says is what it does; listenctl(1) looks at it and tells it what to do.")
            .Section("COMMANDS");
        foreach (var command in ListendCommands.Root([]).Subcommands.Where(c => !c.Hidden).OrderBy(c => c.Name, StringComparer.Ordinal))
        {
            Describe(page, command, $"listend {command.Name}");
        }

        return page
            .Section("SIGNALS")
            .Term("SIGTERM, SIGINT", "Workers are asked to drain, then the daemon leaves. A second one kills workers that are left.")
            .Term("SIGHUP", "The configuration is read again and the difference applied, as `listenctl reload` does.")
            .Section("EXIT STATUS")
            .Term("0", "Done; of `check`: no errors.")
            .Term("1", "Nothing could be started; of `check`: errors.")
            .Term("2", "The command line is wrong.")
            .Section("ENVIRONMENT")
            .Term("NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID", "Readiness and liveness are told there, sd_notify(3).")
            .Term("LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES", "Descriptors that systemd passes are taken as the listeners of those names, sd_listen_fds(3).")
            .Term("JOURNAL_STREAM", "Where standard error is the journal, the log goes there by its native protocol.")
            .Section("FILES")
            .Term("/etc/listend/listend.toml, /etc/listend/conf.d/*.toml", "The configuration.")
            .Term("/run/listend", "`daemon.runtime_directory`: control.sock, broker.sock, the workers' notify sockets.")
            .Section("SEE ALSO")
            .Text("listenctl(1), listend.toml(5), systemd.socket(5), sd_listen_fds(3), sd_notify(3)")
            .ToString();
    }

    private static string Client()
    {
        var page = new Roff("listenctl", 1, "looks at listend and tells it what to do")
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
            .Term("0", "Done.")
            .Term("1", "The operation failed: a roll-out that was rolled back, an address that cannot be bound.")
            .Term("2", "The command line is wrong.")
            .Term("3", "The daemon cannot be reached.")
            .Term("4", "Not permitted.")
            .Section("ENVIRONMENT")
            .Term("LISTEND_CONTROL", "The control socket, where --socket does not name it.")
            .Term("XDG_RUNTIME_DIR", "Where a user's own daemon has it.")
            .Term("NO_COLOR", "No colours.")
            .Section("SEE ALSO")
            .Text("listend(8), listend.toml(5)")
            .ToString();
    }

    private static string Settings()
    {
        var page = new Roff("listend.toml", 5, "the configuration of listend")
            .Section("DESCRIPTION")
            .Text("TOML: /etc/listend/listend.toml, then /etc/listend/conf.d/*.toml in the order of their names, as if they were one file. Addresses are numeric. Durations are strings such as \"500ms\", \"30s\", \"1m30s\"; sizes are integers of bytes or strings such as \"1MiB\". What is unknown, of the wrong type or out of range is an error, and all errors are told at once: `listend check`. Each setting stands in the section of the moment at which it takes effect, since that decides whether it can still be changed.")
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

        page.Section("SOCKET OPTIONS").Text("Which option of the kernel a setting becomes, when it is set, and whether accepted connections inherit it from the listener.");
        foreach (var option in SocketOptions.All)
        {
            page.Term(
                option.Name,
                $"{option.LevelName}, `{option.Setting}`, {option.Phase.ToWireName()}; " + option.Inheritance switch
                {
                    OptionInheritance.Inherited => "inherited by accepted connections.",
                    OptionInheritance.ListenerOnly => "of the listener alone.",
                    _ => "accepted connections do not come into it.",
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
