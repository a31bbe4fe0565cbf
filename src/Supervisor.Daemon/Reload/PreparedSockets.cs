using Supervisor.Config;
using Supervisor.Config.Diagnostics;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Core.Reload;
using Supervisor.Daemon.Validation;
using Supervisor.Linux.Evidence;
using Supervisor.Linux.Listeners;

namespace Supervisor.Daemon.Reload;

/// <summary>
/// Creates the sockets of a reload before the reload changes anything, so every step that can fail is here. Owns the new
/// handles until they are committed, or closed by <see cref="Undo"/>. On the loop.
/// </summary>
internal sealed class PreparedSockets
{
    private readonly ListenerFactory _factory;
    private readonly ConfigPlaces _places;
    private readonly TimeSpan _now;
    private readonly Dictionary<ListenerStep, ListenerHandle> _made = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<ListenerHandle, ISocketBridge> _bridges = [];
    private readonly List<(ListenerHandle Handle, ListenerSpec Before)> _retried = [];
    private readonly List<(ListenerHandle Handle, int Sockets)> _grown = [];
    private readonly List<ConfigDiagnostic> _failures = [];

    private PreparedSockets(ListenerFactory factory, ConfigPlaces places, TimeSpan now) =>
        (_factory, _places, _now) = (factory, places, now);

    /// <summary>Listeners that cannot be bound; if there are any, everything was undone.</summary>
    public IReadOnlyList<ConfigDiagnostic> Failures => _failures;

    /// <summary>Binds every new socket of a plan, next to the old sockets. If one cannot be bound, all are closed again.</summary>
    public static PreparedSockets Make(IReadOnlyList<ListenerStep> steps, ListenerFactory factory, ConfigPlaces places, TimeSpan now)
    {
        var prepared = new PreparedSockets(factory, places, now);
        foreach (var step in steps.Where(step => step.Diff.After is not null && step.Move != ListenerMove.None))
        {
            prepared.Bind(step);
        }

        // Shards come last: nothing else can fail after them.
        foreach (var step in steps.Where(step => step.Planned.Grows))
        {
            if (prepared._failures.Count == 0)
            {
                prepared.Grow(step);
            }
        }

        if (prepared._failures.Count > 0)
        {
            prepared.Undo();
        }

        return prepared;
    }

    /// <summary>The new handle of a listener; null if it keeps its own.</summary>
    public ListenerHandle? Of(ListenerStep step) => _made.GetValueOrDefault(step);

    /// <summary>Selects whether the new socket or the former one gets new connections; null if the kernel offers no such choice.</summary>
    public ISocketBridge? BridgeTo(ListenerHandle made) => _bridges.GetValueOrDefault(made);

    private void Bind(ListenerStep step)
    {
        var after = step.Diff.After!;
        if (step.Handle is { Descriptor: null } waiting)
        {
            // A listener without a socket has no connections to lose. Its history continues.
            _retried.Add((waiting, waiting.Spec));
            _factory.Reconfigurer.Change(waiting, after);
            if (!_factory.Retry(waiting) && !step.Diff.IsUnchanged)
            {
                Fail(after.Name, waiting);
            }

            return;
        }

        var handle = step.Handle is { } former
            ? _factory.Replacer.CreateBeside(former, after, step.At, step.Bridge, step.Move == ListenerMove.Rename, step.Planned.CanSteer)
            : _factory.Replacer.CreateBridged(after, step.Bridge);
        if (handle.Failure is not null)
        {
            Fail(after.Name, handle);
            return;
        }

        _made.Add(step, handle);
        if (step.Planned.CanSteer && handle.Steering is null && step.Handle!.Steering is null)
        {
            // From the start: connections to the new socket would wait for its first worker.
            _bridges.Add(handle, new SocketBridge(step.Handle!, handle));
        }
        else if (step.Handle is { } replaced && PathBridge.Between(replaced, handle) is { } bridge)
        {
            _bridges.Add(handle, bridge);
        }
    }

    private void Grow(ListenerStep step)
    {
        var (handle, after) = (step.Handle!, step.Diff.After!);
        var sockets = handle.Sockets.Count;
        if (_factory.Shards.Grow(handle, after, _now) is { } refused)
        {
            var diagnosis = BindDiagnostics.Explain(
                refused, after with { Address = step.At }, handle.Domain, LeftoverHolders.OfAnyService, _factory.Evidence);
            _failures.Add(BindableNow.Diagnostic(after.Name, diagnosis, _places));
            return;
        }

        _grown.Add((handle, sockets));
    }

    private void Undo()
    {
        foreach (var (handle, sockets) in _grown)
        {
            _factory.Shards.Ungrow(handle, sockets, _now);
        }

        foreach (var (step, handle) in _made)
        {
            var bridge = _bridges.GetValueOrDefault(handle);
            bridge?.Steer(bridge.Former);
            _factory.Steerer.Retire(handle);
            _factory.Replacer.Undo(handle, step.Bridge, step.Handle);
            bridge?.End(bridge.Former);
        }

        foreach (var (handle, before) in _retried)
        {
            _factory.Reconfigurer.Change(handle, before);
        }

        _made.Clear();
    }

    private void Fail(string name, ListenerHandle handle) => _failures.Add(BindableNow.Diagnostic(name, Diagnosis(handle), _places));

    private static BindDiagnosis Diagnosis(ListenerHandle handle) => handle.Diagnosis ?? new BindDiagnosis
    {
        Address = handle.Spec.Address.ToString(),
        Errno = handle.Failure!.Name,
        Cause = null,
        Verdict = "",
        Advice = handle.Failure.Arguments,
    };
}
