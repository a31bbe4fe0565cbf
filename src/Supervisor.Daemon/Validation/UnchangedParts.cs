using System.Collections.Immutable;
using Supervisor.Config;
using Supervisor.Core.Reload;
using Supervisor.Core.Services;

namespace Supervisor.Daemon.Validation;

/// <summary>
/// Keeps the objects of a configuration that the next one does not change. So what is the same object has not changed, which is all
/// that the rest of a reload looks at. Pure.
/// </summary>
internal static class UnchangedParts
{
    /// <summary>The next configuration, with the unchanged parts of the one before.</summary>
    public static ListendConfig Keep(ListendConfig before, ListendConfig next) => next with
    {
        Listeners = Keep(
            before.Listeners, next.Listeners, static listener => listener.Name,
            static (one, other) => ListenerReloadImpact.Changed(one, other).IsEmpty),
        Services = Keep(
            before.Services, next.Services, static service => service.Name,
            static (one, other) => ServiceReloadImpact.Changed(one, other).IsEmpty),
    };

    private static ImmutableArray<T> Keep<T>(
        ImmutableArray<T> before, ImmutableArray<T> next, Func<T, string> name, Func<T, T, bool> areSame)
        where T : class
    {
        var byName = before.ToDictionary(name, StringComparer.Ordinal);
        ImmutableArray<T> kept = [.. next.Select(now => byName.GetValueOrDefault(name(now)) is { } was && areSame(was, now) ? was : now)];
        return kept.AsSpan().SequenceEqual(before.AsSpan(), ReferenceEqualityComparer.Instance) ? before : kept;
    }
}
