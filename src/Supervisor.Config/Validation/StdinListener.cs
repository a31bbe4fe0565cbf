using Supervisor.Config.Diagnostics;
using Supervisor.Core.Services;

namespace Supervisor.Config.Validation;

/// <summary>A service with the hand-off "stdin" lists exactly one listener, unless listend passes connections.</summary>
internal static class StdinListener
{
    public static IEnumerable<ConfigDiagnostic> Check(ParsedConfig config) =>
        from service in config.Services
        where service.Spec is { Handoff: HandoffKind.Stdin, Start: not StartMode.PerConnection }
            && service.Spec.Listeners.Length != 1 && service.AreKnown()
        select service.Diagnostic(
            "handoff", $"\"stdin\" hands off exactly one listener, and this service lists {service.Spec.Listeners.Length}",
            "list one listener, or choose another hand-off, such as \"listen-fds\"");
}
