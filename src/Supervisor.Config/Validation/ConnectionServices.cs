using Supervisor.Config.Diagnostics;
using Supervisor.Core.Listeners;
using Supervisor.Core.Services;

namespace Supervisor.Config.Validation;

/// <summary>The conditions of start = "per-connection", and the settings that need it.</summary>
internal static class ConnectionServices
{
    private static readonly string[] Limits =
        ["max_connections", "max_connections_per_source", "connection_rate.limit", "connection_rate.interval"];

    /// <summary>What only workers without a connection of their own have.</summary>
    private static readonly string[] OfSlots = ["workers", "ready", "watchdog"];

    private static readonly string[] TablesOfSlots = ["rollout.", "restart.", "liveness.", "recycle.", "autoscale.", "hooks.post_ready"];

    /// <summary>The limits of connections apply to services that accept them.</summary>
    public static IEnumerable<ConfigDiagnostic> CheckLimits(ParsedConfig config) =>
        from service in config.Services
        where service.Spec.Start != StartMode.PerConnection
        from key in Limits
        where service.Given.TryGetValue(key, out var given) && !given.RepeatsDefault
        select service.Diagnostic(
            key, "listend does not accept the connections of this service: its workers do",
            "write start = \"per-connection\", or remove the setting");

    /// <summary>A process of a connection is not replaced, probed or rolled out.</summary>
    public static IEnumerable<ConfigDiagnostic> CheckSlots(ParsedConfig config) =>
        from service in config.Services
        where service.Spec.Start == StartMode.PerConnection
        from given in service.Given.Values
        let key = given.Setting.Key
        where !given.RepeatsDefault
            && (OfSlots.Contains(key) || TablesOfSlots.Any(prefix => key.StartsWith(prefix, StringComparison.Ordinal)))
        select service.Diagnostic(
            key, "start = \"per-connection\" starts a process for each connection, and this setting is for workers that serve many",
            key == "workers" ? "write max_connections, or choose another start" : "remove the setting, or choose another start");

    /// <summary>The connection is passed as standard input and output, or as descriptor 3.</summary>
    public static IEnumerable<ConfigDiagnostic> CheckHandoff(ParsedConfig config) =>
        from service in config.Services
        where service.Spec is { Start: StartMode.PerConnection, Handoff: not (HandoffKind.ListenFds or HandoffKind.Stdin) }
        select service.Diagnostic(
            "handoff", $"\"{service.Spec.Handoff.ToWireName()}\" passes listeners, and start = \"per-connection\" passes one connection",
            "write handoff = \"stdin\" (standard input and output) or \"listen-fds\" (descriptor 3)");

    /// <summary>It lists listeners, each of which accepts connections, without a selection by generation.</summary>
    public static IEnumerable<ConfigDiagnostic> CheckListeners(ParsedConfig config)
    {
        foreach (var service in config.Services.Where(service => service.Spec.Start == StartMode.PerConnection))
        {
            if (service.Spec.Listeners.Length == 0 && service.AreKnown())
            {
                yield return service.Diagnostic(
                    "start", "\"per-connection\" accepts connections, and this service lists no listener",
                    "list a listener in listeners, or write start = \"now\"");
            }

            foreach (var listener in service.Spec.Listeners.Select(name => config.ListenersByName.GetValueOrDefault(name)?.Spec))
            {
                if (listener is { Address: var address } && !address.Kind.Listens() && address.Kind != ListenerKind.Other)
                {
                    yield return service.Diagnostic(
                        "start", $"listener \"{listener.Name}\" ({address}) has no connections to accept",
                        "list a tcp://, unix://, unix-seqpacket:// or vsock:// listener, or write start = \"on-demand\"");
                }
                else if (listener is { IsSteered: true })
                {
                    yield return service.Diagnostic(
                        "start", $"listener \"{listener.Name}\" has steering, which selects a worker, and listend accepts its connections",
                        "remove steering from the listener");
                }
            }
        }
    }

    /// <summary>No other service accepts connections of its listeners.</summary>
    public static IEnumerable<ConfigDiagnostic> CheckExclusive(ParsedConfig config) =>
        from service in config.Services
        where service.Spec.Start == StartMode.PerConnection
        let other = config.Services.FirstOrDefault(
            other => other.Spec.Name != service.Spec.Name && other.Spec.Listeners.Any(service.Spec.Listeners.Contains))
        where other is not null
        select service.Diagnostic(
            "listeners", $"service {Quoted.Text(other.Spec.Name)} lists the same listener, and either of them would get a connection",
            "give each service a listener of its own");
}
