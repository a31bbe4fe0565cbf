using Supervisor.Config.Diagnostics;
using Supervisor.Core.Listeners;
using Supervisor.Core.Services;

namespace Supervisor.Config.Validation;

/// <summary>A service whose readiness is checked on a listener lists a suitable listener.</summary>
internal static class ReadinessListener
{
    public static IEnumerable<ConfigDiagnostic> Check(ParsedConfig config)
    {
        foreach (var service in config.Services)
        {
            var ready = service.Spec.Readiness;
            if (ready.Kind is not (ReadinessKind.Accepting or ReadinessKind.Http)
                || !service.AreKnown()
                || service.Kinds(config) is not { } kinds)
            {
                continue;
            }

            if (ready.Kind == ReadinessKind.Accepting && !kinds.Any(kind => kind.Listens()))
            {
                yield return service.Diagnostic(
                    "ready",
                    "\"accepting\" watches for accept() on a listener, and this service lists no listener that accepts connections",
                    "list a stream listener in listeners, or write ready = \"notify\" or \"started\"");
            }
            else if (ready.Kind == ReadinessKind.Http && !kinds.Any(kind => kind.TakesHttpProbe()))
            {
                yield return service.Diagnostic(
                    "ready", $"\"http:{ready.Path}\" is requested on a TCP or UNIX stream listener, and this service lists none",
                    "list a tcp://, mptcp:// or unix:// listener in listeners, or write ready = \"accepting\", \"notify\" or \"started\"");
            }
        }
    }
}
