using Supervisor.Core.Services;
using Supervisor.Core.State;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>What the workers of one generation are spawned with, besides their specification.</summary>
/// <param name="Listeners">Their sockets, in descriptor order.</param>
/// <param name="Identity">Their user and groups; null until these have been looked up.</param>
public sealed record GenerationResources(IReadOnlyList<ListenerHandle> Listeners, WorkerIdentity? Identity);

/// <summary>
/// What each generation of a service is spawned with. A generation gets the present values when it begins, and keeps them.
/// Lives on the loop.
/// </summary>
public sealed class GenerationTable(EventLoop loop, UserDirectory users, IReadOnlyList<ListenerHandle> listeners,
    Action onWaiting, Action<IReadOnlyList<DescriptorHandle>> close) : IDisposable
{
    private readonly Dictionary<int, GenerationResources> _generations = [];
    private readonly Dictionary<int, GenerationPins> _pins = [];
    private readonly IdentityRequests _identities = new(loop, users, onWaiting);

    /// <summary>There are other generations, or the next one gets other listeners.</summary>
    public event Action? Changed;

    /// <summary>What the next generation gets.</summary>
    public GenerationResources Next
    {
        get;
        private set
        {
            var isOther = !ReferenceEquals(field.Listeners, value.Listeners);
            field = value;
            if (isOther)
            {
                Changed?.Invoke();
            }
        }
    } = new(listeners, null);

    /// <summary>What has to be resolved before workers can be started; null if nothing.</summary>
    public string? Waits => _identities.Waits;

    /// <summary>The listeners of all generations and of the next one. After a reload, two may have the same name.</summary>
    public IReadOnlyList<ListenerHandle> AllListeners
    {
        get
        {
            var isSame = Next.Listeners.Count < 2;
            foreach (var resources in _generations.Values)
            {
                isSame &= ReferenceEquals(resources.Listeners, Next.Listeners);
            }

            // Most services; asked for at each change.
            return isSame ? Next.Listeners : [.. _generations.Values.Append(Next).SelectMany(each => each.Listeners).Distinct()];
        }
    }

    /// <summary>What that generation is spawned with.</summary>
    public GenerationResources Of(int generation) => _generations.GetValueOrDefault(generation) ?? Next;

    /// <summary>What that generation is pinned to.</summary>
    internal GenerationPins PinsOf(int generation)
    {
        if (!_pins.TryGetValue(generation, out var pins))
        {
            _pins[generation] = pins = new GenerationPins(close);
        }

        return pins;
    }

    /// <summary>The pins of all generations, for a successor.</summary>
    internal IEnumerable<PinEntry> SnapshotPins(string service, OutgoingDescriptors? descriptors) =>
        _pins.SelectMany(pair => pair.Value.Snapshot(service, pair.Key, descriptors));

    /// <summary>Whether a living worker, or one that may still be started, has that socket.</summary>
    public bool Uses(ListenerHandle handle) =>
        Next.Listeners.Contains(handle) || _generations.Values.Any(resources => resources.Listeners.Contains(handle));

    /// <summary>
    /// Whether a slot belongs to a generation that differs from the present specification, and no roll-out is going to change
    /// that.
    /// </summary>
    public bool AreMixed(ServiceState state) => state.IsMixed
        || (state.IsStarted && state.Rollout is not { IsActive: true }
            && state.Slots.Any(slot => slot.Index < state.Desired && Of(slot.Generation).Listeners is var own
                && !ReferenceEquals(own, Next.Listeners) && !own.SequenceEqual(Next.Listeners)));

    /// <summary>Sets what the next generation gets.</summary>
    internal void SetNext(IReadOnlyList<ListenerHandle> handles, WorkerIdentity? identity) =>
        Next = new GenerationResources(handles, identity);

    /// <summary>
    /// Gives the present values to a generation that has just begun, and forgets generations that no longer exist. After a
    /// rollback, the next generation begins with the previous values.
    /// </summary>
    internal void Update(ServiceState before, ServiceState after, ServiceEvent what)
    {
        if (after.IsStarted && !before.IsStarted)
        {
            // A start resolves anew, also where it continues with the generation that was stopped.
            ForgetPins(_ => true);
        }

        if (!ReferenceEquals(before.Specs, after.Specs) || !ReferenceEquals(before.Spec, after.Spec) || RollsBack(before, after))
        {
            UpdateSpecs(before, after, what);
        }

        // The next start uses this generation again, and nothing else holds the sockets of a roll-out that a stop has superseded.
        if (!after.IsStarted && _generations.TryGetValue(after.Generation, out var own)
            && !ReferenceEquals(own.Listeners, Next.Listeners)
            && !after.Workers.Any(worker => worker.Generation == after.Generation))
        {
            _generations[after.Generation] = own with { Listeners = Next.Listeners };
            Changed?.Invoke();
        }
    }

    /// <summary>Also where both generations have one specification: a reload may change only a listener.</summary>
    private static bool RollsBack(ServiceState before, ServiceState after) =>
        after.Rollout is { Phase: RolloutPhase.RollingBack or RolloutPhase.RolledBack } rollout
        && before.Rollout is { IsActive: true, Phase: not RolloutPhase.RollingBack } was && was.To == rollout.To;

    private void UpdateSpecs(ServiceState before, ServiceState after, ServiceEvent what)
    {
        foreach (var generation in after.Specs.Keys)
        {
            _generations.TryAdd(generation, Next);
        }

        if (what is not SpecChanged && (!ReferenceEquals(before.Spec, after.Spec) || RollsBack(before, after))
            && after.Rollout is { } rollout && _generations.TryGetValue(rollout.From, out var former))
        {
            Next = former;
        }

        foreach (var generation in _generations.Keys.Where(generation => !after.Specs.ContainsKey(generation)).ToArray())
        {
            _generations.Remove(generation);
        }

        ForgetPins(generation => !after.Specs.ContainsKey(generation));
        Changed?.Invoke();
    }

    /// <summary>The first generation of a service that has not been started.</summary>
    internal void Begin(int generation)
    {
        _generations.Add(generation, Next);
        Changed?.Invoke();
    }

    /// <summary>
    /// Restores a predecessor's generations: their own listeners by name, and their user. The manifest has only the newest
    /// generation's user; the user of another generation is looked up when it spawns.
    /// </summary>
    internal void Restore(ServiceState state)
    {
        _generations.Clear();
        var byName = Next.Listeners.DistinctBy(handle => handle.Name).ToDictionary(handle => handle.Name, StringComparer.Ordinal);
        foreach (var (generation, spec) in state.Specs)
        {
            var handles = spec.Listeners.Select(byName.GetValueOrDefault).ToArray();
            _generations.Add(generation, new GenerationResources(
                handles.Any(handle => handle is null) ? Next.Listeners : handles!,
                WorkerIdentity.IsSame(spec, state.Spec) ? Next.Identity : null));
        }

        Changed?.Invoke();
    }

    /// <summary>Looks up the user and groups of the next generation, and calls back with null or with the error.</summary>
    /// <param name="state">The service when the answer arrives.</param>
    /// <param name="onResolved">Called on the loop, perhaps before this returns.</param>
    internal void Resolve(Func<ServiceState> state, Action<string?> onResolved)
    {
        var spec = state().Spec;
        _identities.Resolve(spec, (identity, error) =>
        {
            if (identity is not null && !WorkerIdentity.IsSame(spec, state().Spec))
            {
                // A reload has changed the names in the meantime.
                Resolve(state, onResolved);
                return;
            }

            if (identity is not null)
            {
                Next = Next with { Identity = identity };
                foreach (var (generation, resources) in _generations.Where(pair => pair.Value.Identity is null || !state().IsStarted)
                    .ToArray())
                {
                    _generations[generation] = resources with { Identity = identity };
                }
            }

            onResolved(error);
        });
    }

    /// <summary>
    /// Gives the user and groups of a generation, or the error. Looks them up if a predecessor has not handed them over.
    /// </summary>
    internal void ResolveOf(int generation, ServiceSpec spec, Action<WorkerIdentity?, string?> onResolved)
    {
        if (Of(generation).Identity is { } known)
        {
            onResolved(known, null);
            return;
        }

        _identities.Resolve(spec, (identity, error) =>
        {
            if (identity is not null && _generations.TryGetValue(generation, out var resources))
            {
                _generations[generation] = resources with { Identity = resources.Identity ?? identity };
            }

            onResolved(identity, error);
        });
    }

    /// <summary>Cancels the lookups: each waiting request fails for that reason.</summary>
    internal void Cancel(string why) => _identities.Cancel(why);

    /// <inheritdoc/>
    public void Dispose()
    {
        _identities.Dispose();
        ForgetPins(_ => true);
    }

    private void ForgetPins(Predicate<int> isForgotten)
    {
        foreach (var generation in _pins.Keys.Where(generation => isForgotten(generation)).ToArray())
        {
            _pins[generation].Dispose();
            _pins.Remove(generation);
        }
    }
}
