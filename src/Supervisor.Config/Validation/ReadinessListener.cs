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
            if (!service.AreKnown() || service.Kinds(config) is not { } kinds)
            {
                continue;
            }

            var spec = service.Spec;
            if (spec.Readiness.Kind == ReadinessKind.Accepting && !kinds.Any(kind => kind.Listens()))
            {
                yield return service.Diagnostic(
                    "ready",
                    "\"accepting\" watches for accept() on a listener, and this service lists no listener that accepts connections",
                    "list a stream listener in listeners, or write ready = \"notify\" or \"started\"");
            }

            if (NeedsProbed(spec.Readiness) && !kinds.Any(kind => kind.TakesProbe()))
            {
                yield return service.Diagnostic(
                    "ready", NoneListed(spec.Readiness),
                    "list a tcp://, mptcp:// or unix:// listener in listeners, or write ready = \"accepting\", \"notify\" or \"started\"");
            }

            if (spec.Liveness.Probe is { } probe && NeedsProbed(probe) && !kinds.Any(kind => kind.TakesProbe()))
            {
                yield return service.Diagnostic(
                    "liveness.probe", NoneListed(probe),
                    "list a tcp://, mptcp:// or unix:// listener in listeners, or write \"exec:COMMAND\"");
            }
        }
    }

    private static bool NeedsProbed(Readiness condition) => condition.Kind is ReadinessKind.Http or ReadinessKind.Tcp;

    private static string NoneListed(Readiness condition) =>
        $"{Quoted.Text(condition.Spelled())} is requested on a TCP or UNIX stream listener, and this service lists none";

    /// <summary>The descriptor on which a worker reports that it is ready is not a listener's.</summary>
    public static IEnumerable<ConfigDiagnostic> CheckDescriptor(ParsedConfig config) =>
        from service in config.Services
        let ready = service.Spec.Readiness
        where ready.Kind == ReadinessKind.Descriptor && service.AreKnown()
        let last = LastDescriptor(service.Spec, config)
        where ready.Descriptor <= last
        select service.Diagnostic(
            "ready", $"{Quoted.Text(ready.Spelled())} is the descriptor of a listener: the listeners get the numbers up to {last}",
            $"write a higher number, such as \"fd:{last + 1}\"");

    /// <summary>The highest number that a listener's descriptor may have in a worker.</summary>
    private static int LastDescriptor(ServiceSpec spec, ParsedConfig config)
    {
        var passed = spec.Handoff is HandoffKind.None or HandoffKind.ScmRights or HandoffKind.Stdin
            ? 0
            : spec.Listeners.Sum(name => config.ListenersByName.TryGetValue(name, out var listener) ? listener.Spec.Shards : 1);
        return Readiness.LowestDescriptor - 1 + passed;
    }
}
