using Supervisor.Config;
using Supervisor.Config.Diagnostics;
using Supervisor.Core.Listeners;
using Supervisor.Linux.Kernel;

namespace Supervisor.Daemon.Validation;

/// <summary>Rule: the kernel gives each listener the backlog that it is configured to have.</summary>
internal static class BacklogLimit
{
    private const string Setting = "net.core.somaxconn";

    public static IEnumerable<ConfigDiagnostic> Check(ParsedConfig config)
    {
        if (Sysctl.ReadNumber(Setting) is not { } limit)
        {
            return [];
        }

        return config.Readable.Listeners
            .Where(listener => listener.Address.Kind.Listens() && listener.Listen.Backlog > limit)
            .Select(listener => config.Places.Diagnostic(
                "listener", listener.Name, "listen.backlog", $"the kernel caps {listener.Listen.Backlog} at {limit} ({Setting})",
                $"raise it: sysctl -w {Setting}={listener.Listen.Backlog}") with
            { IsWarning = true });
    }
}
