using Supervisor.Core.Services;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>
/// What the processes of connections have in common, laid out once for a generation: to lay it out for each one took more time than its
/// clone() (bench "per-connection").
/// </summary>
/// <param name="spec">The specification of the generation.</param>
/// <param name="identity">Their identity.</param>
/// <param name="plan">Their plan, without their own descriptors and variables.</param>
/// <param name="first">The number of the connection's descriptor: 0 or 3.</param>
/// <param name="hasCgroup">Whether each has a cgroup.</param>
internal sealed class ConnectionTemplate(
    ServiceSpec spec, WorkerIdentity identity, ChildProcess.Plan plan, int first, bool hasCgroup) : IDisposable
{
    public ServiceSpec Spec => spec;

    public WorkerIdentity Identity => identity;

    public ChildProcess.Plan Plan => plan;

    public int First => first;

    public LaunchTemplate Common { get; } = new(plan);

    /// <summary>Whether it is for that specification and identity, and for processes with or without a cgroup.</summary>
    public bool IsFor(ServiceSpec ofSpec, WorkerIdentity ofIdentity, bool withCgroup) =>
        ReferenceEquals(spec, ofSpec) && ReferenceEquals(identity, ofIdentity) && hasCgroup == withCgroup;

    /// <inheritdoc/>
    public void Dispose() => Common.Dispose();
}
