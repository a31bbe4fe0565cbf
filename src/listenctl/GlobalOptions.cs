using System.CommandLine;

namespace Supervisor.Listenctl;

/// <summary>The options that every verb has; they may stand before it or after it.</summary>
internal sealed class GlobalOptions
{
    /// <summary><c>--socket</c>.</summary>
    public Option<string?> Socket { get; } = new("--socket")
    {
        Description = "The daemon's control socket. Default: $LISTEND_CONTROL, else /run/listend/control.sock for root, else $XDG_RUNTIME_DIR/listend/control.sock",
        HelpName = "PATH",
        Recursive = true,
    };

    /// <summary><c>--json</c>.</summary>
    public Option<bool> Json { get; } = new("--json")
    {
        Description = "Exactly one JSON document on standard output (a stream: one a line); messages go to standard error",
        Recursive = true,
    };
}
