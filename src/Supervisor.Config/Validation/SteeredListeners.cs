using Supervisor.Config.Diagnostics;
using Supervisor.Core.Listeners;
using Supervisor.Core.Services;

namespace Supervisor.Config.Validation;

/// <summary>A steered listener serves one service, whose workers get its sockets when they are executed.</summary>
internal static class SteeredListeners
{
    /// <summary>Multicast goes to every socket, whatever the program selects.</summary>
    public static IEnumerable<ConfigDiagnostic> CheckMulticast(ParsedConfig config) =>
        from listener in config.Listeners
        where listener.Spec is { IsSteered: true, Datagram.Multicast.IsEmpty: false }
        select listener.Diagnostic(
            "datagram.multicast",
            "the kernel gives a multicast datagram to every socket of the address, so steering would deliver it to every worker",
            "remove the setting, or steering and affinity");

    public static IEnumerable<ConfigDiagnostic> CheckHandoff(ParsedConfig config) =>
        from service in config.Services
        where service.Spec.Handoff is HandoffKind.ScmRights or HandoffKind.None
        let steered = Steered(config, service.Spec).FirstOrDefault()
        where steered is not null
        select service.Diagnostic(
            "handoff",
            $"listener \"{steered.Name}\" has steering: each worker gets a socket of its own when it is executed, "
            + $"and \"{service.Spec.Handoff.ToWireName()}\" passes none",
            "write handoff = \"listen-fds\", or remove steering and affinity from the listener");

    public static IEnumerable<ConfigDiagnostic> CheckServices(ParsedConfig config) =>
        from listener in config.Listeners
        where listener.Spec.IsSteered
        let users = config.Services.Where(service => service.Spec.Listeners.Contains(listener.Spec.Name)).ToArray()
        where users.Length > 1
        select users[1].Diagnostic(
            "listeners",
            $"listener \"{listener.Spec.Name}\" has steering, and service \"{users[0].Spec.Name}\" has it already: "
            + "a generation belongs to one service",
            "give each service a listener of its own, or remove steering and affinity from the listener");

    public static IEnumerable<ConfigDiagnostic> CheckCanaryShare(ParsedConfig config) =>
        from service in config.Services
        where service.Spec.Rollout is { CanaryShare: not null, Canary: > 0 } && !Steered(config, service.Spec).Any()
        select service.Diagnostic(
            "rollout.canary_share",
            "none of the service's listeners has steering, so the kernel cannot give a share to the canary",
            "write steering = \"generation\" in the [listener.NAME] of the service, or remove canary_share");

    private static IEnumerable<ListenerSpec> Steered(ParsedConfig config, ServiceSpec service) =>
        service.Listeners.Select(name => config.ListenersByName.GetValueOrDefault(name)?.Spec).OfType<ListenerSpec>()
            .Where(listener => listener.IsSteered);
}
