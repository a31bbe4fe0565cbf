using Supervisor.Config;
using Supervisor.Config.Diagnostics;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Validation;

/// <summary>The files that services name exist and can be used. A warning: they may be created before the service is started.</summary>
internal static class ExistingServiceFiles
{
    public static IEnumerable<ConfigDiagnostic> Check(ParsedConfig config)
    {
        var path = Environment.GetEnvironmentVariable("PATH");
        return from service in config.Readable.Services
               from fault in ServiceFiles.FindFaults(service, path)
               select config.Places.Diagnostic("service", service.Name, fault.Setting, fault.Message, fault.Remedy, fault.Element) with { IsWarning = true };
    }
}
