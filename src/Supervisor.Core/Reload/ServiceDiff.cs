using System.Collections.Immutable;
using Supervisor.Core.Services;

namespace Supervisor.Core.Reload;

/// <summary>One service, before and after a reload.</summary>
/// <param name="Before">The present specification; null: it is added.</param>
/// <param name="After">The new specification; null: it is removed.</param>
/// <param name="MovedListeners">Names of its listeners, in descriptor order, that get another socket: only new workers get
/// it.</param>
/// <param name="IsMixed">Whether some workers are of another generation than the present one, because a roll-out ended between
/// two generations.</param>
public sealed record ServiceDiff(ServiceSpec? Before, ServiceSpec? After, ImmutableArray<string> MovedListeners, bool IsMixed = false)
{
    /// <summary>The name.</summary>
    public string Name => (After ?? Before)!.Name;

    /// <summary>The settings that change.</summary>
    public ImmutableArray<ServiceTerm> Changed { get; } =
        Before is not null && After is not null ? ServiceReloadImpact.Changed(Before, After) : [];

    /// <summary>Whether its workers have to be replaced.</summary>
    public bool NeedsNewWorkers => IsMixed || !MovedListeners.IsEmpty || Changed.Any(term => term.NeedsNewWorker);

    /// <summary>Whether nothing at all changes.</summary>
    public bool IsUnchanged => Before is not null && After is not null && !NeedsNewWorkers && Changed.IsEmpty;
}
