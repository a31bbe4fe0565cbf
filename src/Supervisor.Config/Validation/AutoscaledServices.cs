using Supervisor.Config.Diagnostics;
using Supervisor.Core.Listeners;
using Supervisor.Core.Services;

namespace Supervisor.Config.Validation;

/// <summary>The conditions of <c>autoscale</c>.</summary>
internal static class AutoscaledServices
{
    /// <summary>The bounds are complete and in order.</summary>
    public static IEnumerable<ConfigDiagnostic> CheckBounds(ParsedConfig config)
    {
        foreach (var service in config.Services)
        {
            var scale = service.Spec.Autoscale;
            if (!scale.IsOn && scale != new AutoscaleSpec())
            {
                yield return service.Diagnostic(
                    "autoscale", "it has no max, so that the number of workers cannot change",
                    "write max, such as max = 8, or remove autoscale");
            }
            else if (scale.IsOn && service.Spec.Start == StartMode.PerConnection)
            {
                yield return service.Diagnostic(
                    "autoscale", "the service starts a process for each connection, and has no number of workers",
                    "write max_connections, and remove autoscale");
            }
            else if (scale.IsOn && scale.Min > scale.Max)
            {
                yield return service.Diagnostic(
                    "autoscale.min", $"{scale.Min} is above autoscale.max ({scale.Max})", $"write a min of at most {scale.Max}");
            }
            else if (scale.IsOn && service.Spec.Workers > scale.Max)
            {
                yield return service.Diagnostic(
                    "workers", $"{service.Spec.Workers} workers are more than autoscale.max ({scale.Max})",
                    $"write workers = {scale.Max} or fewer: the service starts with them, and with autoscale.min at least");
            }
        }
    }

    /// <summary>
    /// More connections than <c>autoscale.queue</c> can wait at the service's listeners: one more than the backlog of each
    /// (sk_acceptq_is_full in include/net/sock.h). A warning: the service works, with the workers that it has.
    /// </summary>
    public static IEnumerable<ConfigDiagnostic> CheckQueue(ParsedConfig config) =>
        from service in config.Services
        where service.Spec.Autoscale.IsOn && service.AreKnown()
        let listeners = service.Spec.Listeners.Select(name => config.ListenersByName.GetValueOrDefault(name)?.Spec).ToList()
        where listeners.Count > 0 && listeners.TrueForAll(listener => listener?.Address.Kind.Listens() == true)
        let most = listeners.Sum(listener => (listener!.Listen.Backlog + 1L) * listener.Shards)
        where service.Spec.Autoscale.Queue >= most
        select service.Diagnostic(
            "autoscale.queue",
            $"more than {service.Spec.Autoscale.Queue} connections cannot wait: the listeners have room for {most} (listen.backlog)",
            $"write a queue below {most}, such as {Math.Max(1, most / 4)}, or raise listen.backlog") with
        {
            IsWarning = true,
        };

    /// <summary>The service has a listener with an accept queue.</summary>
    public static IEnumerable<ConfigDiagnostic> CheckListener(ParsedConfig config) =>
        from service in config.Services
        where service.Spec.Autoscale.IsOn && service.AreKnown()
        where service.Kinds(config) is { } kinds && !kinds.Any(kind => kind.Listens())
        select service.Diagnostic(
            "autoscale", "it follows the queue of connections that wait, and this service lists no listener that accepts connections",
            "list a stream listener in listeners, or remove autoscale");
}
