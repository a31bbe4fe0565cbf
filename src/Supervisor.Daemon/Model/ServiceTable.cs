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
    private readonly ListenerUsers _next = new();

    /// <summary>Null until somebody has asked: most daemons never replace a socket.</summary>
    private ListenerUsers? _all;

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
    public IReadOnlyList<ServiceRunner> UsersOf(ListenerHandle handle) => _next.Of(handle);

    /// <summary>The services of which any generation has the listener, in the order in which they were added.</summary>
    public IReadOnlyList<ServiceRunner> AllUsersOf(ListenerHandle handle)
    {
        if (_all is null)
        {
            _all = new();
            _runners.ForEach(runner => _all.Update(runner, runner.Generations.AllListeners));
        }

        return _all.Of(handle);
    }

    /// <summary>Adds a service.</summary>
    public ServiceRunner Add(ServiceSpec spec)
    {
        var runner = create(spec);
        _runners.Add(runner);
        _byName.Add(runner.Name, runner);
        runner.Generations.Changed += () => UpdateUsers(runner);
        UpdateUsers(runner);
        Added?.Invoke(runner);
        return runner;
    }

    /// <summary>Removes a service that is not configured any more and whose workers have exited.</summary>
    public void Remove(ServiceRunner runner)
    {
        _runners.Remove(runner);
        _left = null;
        _byName.Remove(runner.Name);
        _next.Remove(runner);
        _all?.Remove(runner);
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

    private void UpdateUsers(ServiceRunner runner)
    {
        if (Find(runner.Name) != runner)
        {
            return;
        }

        _next.Update(runner, runner.Generations.Next.Listeners);
        _all?.Update(runner, runner.Generations.AllListeners);
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <inheritdoc/>
    public void Dispose() => _runners.ForEach(runner => runner.Dispose());
}
