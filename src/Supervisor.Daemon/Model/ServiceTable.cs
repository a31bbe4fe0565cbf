using System.Collections;
using Supervisor.Core.Services;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Model;

/// <summary>The daemon's services, in the order in which they were added. Owns the runners. On the loop.</summary>
/// <param name="create">Creates the runner of a service without starting it.</param>
internal sealed class ServiceTable(Func<ServiceSpec, ServiceRunner> create) : IReadOnlyList<ServiceRunner>, IStoppableServices, IDisposable
{
    private readonly List<ServiceRunner> _runners = [];

    /// <summary>A service was added and is not started yet.</summary>
    public event Action<ServiceRunner>? Added;

    /// <summary>A service was removed: its workers have exited. Its runner is disposed of afterwards.</summary>
    public event Action<ServiceRunner>? Removed;

    /// <inheritdoc/>
    public int Count => _runners.Count;

    /// <inheritdoc/>
    public bool AreGone => _runners.TrueForAll(runner => runner.IsGone);

    /// <inheritdoc/>
    public ServiceRunner this[int index] => _runners[index];

    /// <summary>The service with this name; null if there is none.</summary>
    public ServiceRunner? Find(string name) => _runners.Find(runner => runner.Name == name);

    /// <summary>Adds a service.</summary>
    public ServiceRunner Add(ServiceSpec spec)
    {
        var runner = create(spec);
        _runners.Add(runner);
        Added?.Invoke(runner);
        return runner;
    }

    /// <summary>Removes a service that is not configured any more and whose workers have exited.</summary>
    public void Remove(ServiceRunner runner)
    {
        _runners.Remove(runner);
        Removed?.Invoke(runner);
        runner.Dispose();
    }

    /// <inheritdoc/>
    public void StopAll() => _runners.ForEach(runner => runner.Post(new StopRequested()));

    /// <inheritdoc/>
    public void KillAll() => _runners.ForEach(runner => runner.KillAll());

    /// <summary>Flushes the workers' output.</summary>
    public void FlushOutput() => _runners.ForEach(runner => runner.Output.Flush());

    /// <inheritdoc/>
    public IEnumerator<ServiceRunner> GetEnumerator() => _runners.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <inheritdoc/>
    public void Dispose() => _runners.ForEach(runner => runner.Dispose());
}
