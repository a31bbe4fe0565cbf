using Supervisor.Config.Diagnostics;
using Supervisor.Core;
using Supervisor.Core.Services;

namespace Supervisor.Config.Validation;

/// <summary>The conditions of start = "on-demand", and the settings that need it.</summary>
internal static class OnDemandServices
{
    /// <summary>A service that starts at the first connection lists a listener.</summary>
    public static IEnumerable<ConfigDiagnostic> CheckListener(ParsedConfig config) =>
        from service in config.Services
        where service.Spec.Start == StartMode.OnDemand && service.Spec.Listeners.Length == 0 && service.AreKnown()
        select service.Diagnostic(
            "start", "\"on-demand\" waits for a connection, and this service lists no listener",
            "list a listener in listeners, or write start = \"now\"");

    /// <summary>Only a service that starts at the first connection stops when it is idle.</summary>
    public static IEnumerable<ConfigDiagnostic> CheckIdle(ParsedConfig config) =>
        from service in config.Services
        where service.Spec.StopWhenIdle > TimeSpan.Zero && service.Spec.Start != StartMode.OnDemand
        select service.Diagnostic(
            "stop_when_idle",
            $"\"{Duration.Format(service.Spec.StopWhenIdle)}\" stops workers that nothing starts again, because start is \"now\"",
            "write start = \"on-demand\", or stop_when_idle = \"0s\"");

    /// <summary>Only one on-demand service lists a listener: a connection starts one service.</summary>
    public static IEnumerable<ConfigDiagnostic> CheckExclusive(ParsedConfig config)
    {
        var byListener = config.Services.Where(service => service.Spec.Start == StartMode.OnDemand)
            .SelectMany(service => service.Spec.Listeners.Select(listener => (Listener: listener, Service: service)))
            .ToLookup(pair => pair.Listener, pair => pair.Service);
        return from service in config.Services
               where service.Spec.Start == StartMode.OnDemand
               let other = service.Spec.Listeners
                   .SelectMany(name => byListener[name])
                   .FirstOrDefault(other => other.Spec.Name != service.Spec.Name)
               where other is not null
               select service.Diagnostic(
                   "start", $"service {Quoted.Text(other.Spec.Name)} starts on demand too and lists the same listener",
                   "let one on-demand service list the listener, and set start = \"now\" in the others");
    }
}
