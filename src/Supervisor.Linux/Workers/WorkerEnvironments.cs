using System.Runtime.CompilerServices;
using Supervisor.Core.Protocols;
using Supervisor.Core.Services;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>
/// The environments of the daemon, the user, the files and the service together. Another user inherits nothing that is about the daemon's.
/// Built once for all workers with the same specification, unless there are files, which are read for each worker. Main thread only.
/// </summary>
internal sealed class WorkerEnvironments
{
    private readonly KeyValuePair<string, string>[] _inherited =
        [.. OwnProcess.Environment.Where(static pair => !SupervisorVariables.IsForDaemon(pair.Key))];

    private readonly ConditionalWeakTable<ServiceSpec, WorkerEnvironment> _built = [];

    /// <summary>The variables of a worker, without those that differ between two workers of the specification.</summary>
    public WorkerEnvironment Of(ServiceSpec spec, WorkerIdentity identity, FileVariables fromFiles)
    {
        if (_built.TryGetValue(spec, out var known) && ReferenceEquals(known.Identity, identity))
        {
            return known;
        }

        var environment = new Dictionary<string, string>(StringComparer.Ordinal);
        var inherited = identity.Variables.Count == 0 ? _inherited : _inherited.Where(pair => !WorkerIdentity.IsOfUser(pair.Key));
        foreach (var (name, value) in inherited.Concat(identity.Variables).Concat(spec.EnvironmentDefaults)
            .Concat(fromFiles.Variables).Concat(spec.Environment))
        {
            environment[name] = value;
        }

        var composed = new WorkerEnvironment(identity, environment, spec.Environment);
        if (spec.EnvironmentFiles.IsEmpty)
        {
            _built.AddOrUpdate(spec, composed);
        }

        return composed;
    }
}
