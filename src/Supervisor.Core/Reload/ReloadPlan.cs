using System.Collections.Immutable;
using Supervisor.Core.Listeners;
using Supervisor.Core.Services;

namespace Supervisor.Core.Reload;

/// <summary>What a reload does to each listener and service. Pure: nothing is made, and the kernel is not asked.</summary>
public sealed record ReloadPlan
{
    private ReloadPlan(ImmutableArray<PlannedListener> listeners, ImmutableArray<PlannedService> services)
    {
        Listeners = listeners;
        Services = services;
    }

    /// <summary>The listeners, in the order of the configuration; then those that are removed.</summary>
    public ImmutableArray<PlannedListener> Listeners { get; }

    /// <summary>The services, in the order of the configuration; then those that are removed.</summary>
    public ImmutableArray<PlannedService> Services { get; }

    /// <summary>Listeners that need another socket, which the kernel does not accept next to the serving socket.</summary>
    public IEnumerable<PlannedListener> Impossible => Listeners.Where(step => step.Move == ListenerMove.Impossible);

    /// <summary>Everything that is done.</summary>
    public IEnumerable<ReloadAction> Actions =>
        [.. Listeners.Select(step => step.Action), .. Services.SelectMany(service => service.Actions)];

    /// <summary>Makes a plan.</summary>
    /// <param name="running">The configured listeners that exist.</param>
    /// <param name="retired">Sockets that earlier reloads have replaced, and that still live.</param>
    /// <param name="services">The services that exist and are not removed already.</param>
    /// <param name="wanted">The listeners of the new configuration.</param>
    /// <param name="wantedServices">The services of the new configuration.</param>
    /// <param name="device">The number of an interface by its name; 0 for none.</param>
    public static ReloadPlan Between(
        IReadOnlyList<RunningListener> running,
        IReadOnlyList<RunningListener> retired,
        IReadOnlyList<RunningService> services,
        IReadOnlyList<ListenerSpec> wanted,
        IReadOnlyList<ServiceSpec> wantedServices,
        Func<string, uint> device)
    {
        var byName = running.ToDictionary(listener => listener.Spec.Name, StringComparer.Ordinal);
        var serviceByName = services.ToDictionary(service => service.Spec.Name, StringComparer.Ordinal);
        var diff = ConfigDiff.Between(
            [.. running.Select(listener => listener.Spec)], [.. services.Select(service => service.Spec)], wanted, wantedServices,
            [.. services.Where(service => service.IsMixed).Select(service => service.Spec.Name)]);

        // Sockets that are about to be closed: a new one may have to share its address with them.
        var leaving = diff.Listeners
            .Where(one => one.Before is not null && (one.After is null || one.NeedsNewSocket))
            .Select(one => byName[one.Before!.Name])
            .Concat(retired)
            .Where(listener => listener.HasSocket)
            .ToLookup(listener => Place(listener.Address));
        ImmutableArray<PlannedListener> listeners =
        [
            .. diff.Listeners.Select(one => Plan(one, one.Before is null ? null : byName[one.Before.Name], leaving, device)),
        ];
        var wantedByName = listeners.Where(step => step.Diff.After is not null)
            .ToLookup(step => step.Diff.Name, StringComparer.Ordinal);
        return new ReloadPlan(
            listeners, [.. diff.Services.Select(one => PlannedService.Of(one, serviceByName.GetValueOrDefault(one.Name), wantedByName))]);
    }

    /// <summary>Sockets meet only at the same port or the same path: a new one is compared with few of a thousand others.</summary>
    private static (string? Path, uint Port) Place(ListenAddress address) => (address.Path, address.Port);

    private static PlannedListener Plan(
        ListenerDiff diff, RunningListener? former, ILookup<(string? Path, uint Port), RunningListener> leaving, Func<string, uint> device)
    {
        if (diff.After is not { } after)
        {
            return new PlannedListener(diff, former, ListenerMove.None, [], diff.Before!.Address);
        }

        var keepsPort = diff.Before?.Address == after.Address && after.Address.Kind.IsInternet() && after.Address.Port == 0;
        var at = keepsPort && former?.Effective is { } effective ? effective : after.Address;
        if (former is { HasSocket: true } && !diff.NeedsNewSocket)
        {
            return new PlannedListener(diff, former, ListenerMove.None, [], at);
        }

        var asked = after with { Address = at };
        var moves = leaving[Place(at)]
            .Select(other => (
                Other: other,
                Move: ListenerMoves.Between(other.Spec with { Address = other.Address }, other.Domain, asked, device)))
            .ToList();
        return new PlannedListener(
            diff,
            former,
            Hardest(moves.Select(one => one.Move)),
            [.. moves.Where(one => one.Move == ListenerMove.Bridge).Select(one => one.Other)],
            at);
    }

    /// <summary>The move that meets all needs: the members of <see cref="ListenerMove"/> are in the order of their needs.</summary>
    private static ListenerMove Hardest(IEnumerable<ListenerMove> moves) => moves.Append(ListenerMove.Beside).Max();
}
