using System.CommandLine;
using Supervisor.Daemon.Validation;

namespace Supervisor.Listend.Commands;

/// <summary>Options that several commands have.</summary>
internal static class ConfigOptions
{
    private const string DefaultPath = "/etc/listend/listend.toml";

    /// <summary><c>--config</c>.</summary>
    public static Option<string> Config() => new("--config")
    {
        Description = "The main configuration file; conf.d/*.toml next to it is read too",
        HelpName = "PATH",
        DefaultValueFactory = _ => DefaultPath,
    };

    /// <summary><c>--trusted-owner</c>; its value belongs in <see cref="PathAudit.CommandLine"/>.</summary>
    public static Option<string[]> TrustedOwner() => new("--trusted-owner")
    {
        Description = "Accept configuration files and other paths that this user owns, not only those of root; a name or a number, "
            + "may be repeated",
        HelpName = "USER",
    };
}
