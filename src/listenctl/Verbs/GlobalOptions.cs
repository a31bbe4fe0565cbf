using System.CommandLine;
using Supervisor.Listenctl.Client;

namespace Supervisor.Listenctl.Verbs;

/// <summary>The options of every verb; they may stand before the verb or after it.</summary>
internal sealed class GlobalOptions
{
    /// <summary>Makes the options of one command line.</summary>
    public GlobalOptions() => Host.Validators.Add(static result =>
    {
        if (result.Tokens is [var name] && RemoteHost.Fault(name.Value) is { } fault)
        {
            result.AddError($"invalid host \"{name.Value}\" for -H: {fault}; write for example -H root@web1.example.net");
        }
    });

    /// <summary><c>--socket</c>.</summary>
    public Option<string?> Socket { get; } = new("--socket")
    {
        Description = "The daemon's control socket (default: $LISTEND_CONTROL, otherwise /run/listend/control.sock "
            + "where it may be opened, otherwise $XDG_RUNTIME_DIR/listend/control.sock)",
        HelpName = "PATH",
        Recursive = true,
    };

    /// <summary><c>-H</c>.</summary>
    public Option<string?> Host { get; } = new("--host", "-H")
    {
        Description = "Run the command on another host over ssh, with the listenctl, the daemon and the files of that host",
        HelpName = "[USER@]HOST",
        Recursive = true,
    };

    /// <summary><c>--all</c> of the verbs that print tables.</summary>
    public Option<bool> All { get; } = new("--all") { Description = "Show each row of a long table, not only a summary" };

    /// <summary><c>--json</c>.</summary>
    public Option<bool> Json { get; } = new("--json")
    {
        Description = "Print exactly one JSON document (a stream: one per line) on standard output, and messages on standard error",
        Recursive = true,
    };
}
