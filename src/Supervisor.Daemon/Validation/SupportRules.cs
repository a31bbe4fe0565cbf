using System.Collections.Immutable;
using Supervisor.Config;
using Supervisor.Config.Diagnostics;
using Supervisor.Core.Services;
using Supervisor.Daemon.Runtime;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Probes;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Validation;

/// <summary>Settings that the configuration knows and this version of the daemon does not carry out yet: said at once, never ignored.</summary>
internal static class SupportRules
{
    public static ImmutableArray<ConfigDiagnostic> Check(ListendConfig config, ConfigPlaces places)
    {
        var errors = ImmutableArray.CreateBuilder<ConfigDiagnostic>();
        void Missing(bool used, string service, string setting, string remedy)
        {
            if (used)
            {
                errors.Add(places.Diagnostic("service", service, setting, "this version of listend does not carry it out yet", remedy));
            }
        }

        foreach (var listener in config.Listeners)
        {
            if (listener.Shards > 1 && ShardProbe.WhyNot(listener.Address.Kind) is { } why)
            {
                errors.Add(places.Diagnostic("listener", listener.Name, "shards", $"this platform cannot have shards for {listener.Address}: {why}", "set it to 1"));
            }
        }

        foreach (var service in config.Services)
        {
            Missing(
                service.Start == StartMode.OnDemand && config.Services.Any(other => other != service && other.Start == StartMode.OnDemand && other.Listeners.Any(service.Listeners.Contains)),
                service.Name, "start", "let one on-demand service alone list a listener, and set the others' start to \"now\"");
            Missing(
                service.Readiness.Kind == ReadinessKind.Http && service.Listeners.All(name => config.Listeners.Any(listener => listener.Name == name)) && !config.Listeners.Any(listener => service.Listeners.Contains(listener.Name) && HttpProbe.Asks(listener.Address.Kind)),
                service.Name, "ready", "list a tcp:// or unix:// listener, or use \"accepting\"");
        }

        return errors.ToImmutable();
    }

    /// <summary>Files that services name and that are not there, or not as they have to be, now: they may come before the services are started.</summary>
    public static ImmutableArray<ConfigDiagnostic> CheckFiles(ListendConfig config, ConfigPlaces places)
    {
        var path = Environment.GetEnvironmentVariable("PATH");
        return
        [
            .. places.Sort(
                from service in config.Services
                from fault in ServiceFiles.Look(service, path)
                select places.Diagnostic("service", service.Name, fault.Setting, fault.Message, fault.Remedy, fault.Element) with { IsWarning = true }),
        ];
    }

    /// <summary>Settings of <c>accepted</c> that this kernel would not pass on to the connections that a listener accepts.</summary>
    public static ImmutableArray<ConfigDiagnostic> CheckInheritance(ListendConfig config, ConfigPlaces places) =>
    [
        .. from listener in config.Listeners
           from lost in InheritanceProbe.Ask(listener)
           select places.Diagnostic(
               "listener", listener.Name, lost.Option.Setting,
               $"this kernel does not pass {lost.Option.Name} on: the listener has {lost.Listener}, a connection accepted on it {lost.Connection?.ToString() ?? "none"}",
               "remove the setting, and let the worker set it on each connection"),
    ];
}
