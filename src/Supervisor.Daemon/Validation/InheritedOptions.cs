using Supervisor.Config;
using Supervisor.Config.Diagnostics;
using Supervisor.Linux.Listeners;

namespace Supervisor.Daemon.Validation;

/// <summary>Rule: accepted connections inherit the <c>accepted</c> settings of a listener from the kernel.</summary>
internal static class InheritedOptions
{
    public static IEnumerable<ConfigDiagnostic> Check(ParsedConfig config) =>
        from listener in config.Readable.Listeners
        from lost in InheritanceProbe.Ask(listener)
        select config.Places.Diagnostic(
            "listener", listener.Name, lost.Option.Setting,
            $"accepted connections do not inherit {lost.Option.Name} on this kernel: the listener has {lost.Listener}, "
            + $"a connection accepted on it {lost.Connection?.ToString() ?? "none"}",
            "remove the setting, and let the worker set the option on each connection");
}
