using Supervisor.Config;
using Supervisor.Config.Diagnostics;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Validation;

/// <summary>Rule: the files that services name exist and are usable. Only a warning, because they may be created later.</summary>
internal static class ExistingServiceFiles
{
    public static IEnumerable<ConfigDiagnostic> Check(ParsedConfig config)
    {
        var path = Environment.GetEnvironmentVariable("PATH");
        return from service in config.Readable.Services
               from fault in ServiceFiles.FindFaults(service, path)
               let found = config.Places.Diagnostic(
                   "service", service.Name, fault.Setting, fault.Message, fault.Remedy, fault.Element)
               select found with { IsWarning = true };
    }
}
