using System.Collections;
using Supervisor.Core.Services;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Model;

/// <summary>The daemon's services, in the order in which they were added. Owns the runners. On the loop.</summary>
/// <param name="create">Creates the runner of a service without starting it.</param>
internal sealed class ServiceTable(Func<ServiceSpec, ServiceRunner> create) : IReadOnlyList<ServiceRunner>, IStoppableServices, IDisposable
{
    private readonly List<ServiceRunner> _runners = [];
    private readonly Dictionary<string, ServiceRunner> _byName = new(StringComparer.Ordinal);
    private ILookup<ListenerHandle, ServiceRunner>? _byListener;

    /// <summary>A service that was not gone at the last look: while it is there, nothing has to be counted.</summary>
    private ServiceRunner? _left;

    /// <summary>A service was added and is not started yet.</summary>
    public event Action<ServiceRunner>? Added;

    /// <summary>A service was removed: its workers have exited. Its runner is disposed of afterwards.</summary>
    public event Action<ServiceRunner>? Removed;

    /// <inheritdoc/>
    public int Count => _runners.Count;

    /// <inheritdoc/>
    public bool AreGone => _left is { IsGone: false } ? false : (_left = _runners.FindLast(runner => !runner.IsGone)) is null;

    /// <inheritdoc/>
    public TimeSpan LongestStop =>
        _runners.Select(runner => runner.State.Spec.StopTimeout).DefaultIfEmpty(TimeSpan.Zero).Max();

    /// <inheritdoc/>
    public ServiceRunner this[int index] => _runners[index];

    /// <summary>The service with this name; null if there is none.</summary>
    public ServiceRunner? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>The services whose next generation gets the listener, in the order in which they were added.</summary>
    public IEnumerable<ServiceRunner> UsersOf(ListenerHandle handle) => (_byListener ??= _runners
        .SelectMany(runner => runner.Generations.Next.Listeners.Distinct(), (runner, listener) => (Runner: runner, Listener: listener))
        .ToLookup(pair => pair.Listener, pair => pair.Runner))[handle];

    /// <summary>Adds a service.</summary>
    public ServiceRunner Add(ServiceSpec spec)
    {
        var runner = create(spec);
        _runners.Add(runner);
        _byName.Add(runner.Name, runner);
        _byListener = null;
        runner.Generations.NextChanged += ForgetListeners;
        Added?.Invoke(runner);
        return runner;
    }

    /// <summary>Removes a service that is not configured any more and whose workers have exited.</summary>
    public void Remove(ServiceRunner runner)
    {
        _runners.Remove(runner);
        _left = null;
        _byName.Remove(runner.Name);
        _byListener = null;
        runner.Generations.NextChanged -= ForgetListeners;
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

    private void ForgetListeners() => _byListener = null;

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <inheritdoc/>
    public void Dispose() => _runners.ForEach(runner => runner.Dispose());
}
