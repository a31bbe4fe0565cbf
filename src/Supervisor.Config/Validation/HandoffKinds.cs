using Supervisor.Config.Diagnostics;
using Supervisor.Core.Protocols;
using Supervisor.Core.Services;

namespace Supervisor.Config.Validation;

/// <summary>A service's hand-off can pass each of its listeners: not every protocol has a form for what is not a client's socket.</summary>
internal static class HandoffKinds
{
    public static IEnumerable<ConfigDiagnostic> Check(ParsedConfig config) =>
        from service in config.Services
        from name in service.Spec.Listeners
        let kind = config.ListenersByName.GetValueOrDefault(name)?.Spec.Address.Kind
        where kind is not null && !HandoffEnvironment.CanPass(service.Spec.Handoff, kind.Value)
        select service.Diagnostic(
            "handoff",
            $"\"{service.Spec.Handoff.ToWireName()}\" passes only sockets at which clients arrive, and listener {Quoted.Text(name)} "
            + $"is at {config.ListenersByName[name].Spec.Address}",
            "write handoff = \"listen-fds\", or remove the listener from the service");
}
