using Supervisor.Config;
using Supervisor.Config.Diagnostics;
using Supervisor.Core.Services;
using Supervisor.Linux.Paths;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Validation;

/// <summary>
/// Rule: only root, the daemon's user, an accepted user or the service's user can write the log and environment files of a
/// service. <see cref="TrustedFile"/> refuses to open other files.
/// </summary>
internal static class TrustedServiceFiles
{
    public static IEnumerable<ConfigDiagnostic> Check(ParsedConfig config)
    {
        if (!PathTrust.IsRoot)
        {
            yield break;
        }

        var trust = PathAudit.Trust(config.Draft.Daemon);
        foreach (var service in config.Readable.Services)
        {
            // A service whose user does not exist has no workers; another rule reports it.
            WorkerIdentity? identity = null;
            var files = Files(service).ToList();
            if (files.Count == 0 || (service.User is not null && !WorkerIdentity.TryLookUp(service, out identity, out _)))
            {
                continue;
            }

            foreach (var (setting, path, element) in files)
            {
                if (!TrustedFile.TryJudge(path, identity?.Rights, trust, out _, out var refusal))
                {
                    yield return config.Places.Diagnostic(
                        "service", service.Name, setting, $"{identity?.Rights?.Name ?? "root"} would open {path}: {refusal!.Reason}",
                        refusal.Remedy, element);
                }
            }
        }
    }

    private static IEnumerable<(string Setting, string Path, int? Element)> Files(ServiceSpec service)
    {
        if (service.Log.Kind == LogTargetKind.File)
        {
            yield return ("log", service.Log.Path!, null);
        }

        for (var i = 0; i < service.EnvironmentFiles.Length; i++)
        {
            yield return ("environment_files", service.EnvironmentFiles[i].TrimStart('-'), i);
        }
    }
}
