using Supervisor.Config;
using Supervisor.Config.Diagnostics;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Core.Reload;
using Supervisor.Core.Services;
using Supervisor.Daemon.Validation;
using Supervisor.Linux.Evidence;
using Supervisor.Linux.Listeners;

namespace Supervisor.Daemon.Reload;

/// <summary>The reasons against a plan that only the running daemon knows. On the loop.</summary>
internal static class Obstacles
{
    /// <summary>Every obstacle, with its place in the configuration.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="config">The new configuration.</param>
    /// <param name="places">The places of its settings.</param>
    /// <param name="handles">The listeners that exist.</param>
    /// <param name="known">Names of the services whose users and groups are known.</param>
    public static IEnumerable<ConfigDiagnostic> Find(
        ReloadPlan plan, ListendConfig config, ConfigPlaces places, IReadOnlyList<ListenerHandle> handles,
        IReadOnlyCollection<string> known) =>
    [
        .. plan.Impossible.Select(step => places.Diagnostic(
            "listener", step.Diff.Name, "",
            $"needs another socket on {step.At}, and the kernel cannot bind it next to the socket that serves "
            + $"({string.Join(", ", step.Diff.Changed.Select(change => change.Setting))})",
            "give it another address, or restart the daemon")),
        .. config.Services.Where(service => !known.Contains(service.Name)).SelectMany(service => UnknownAccounts(service, places)),
        .. GivenNames(config, places, handles),
        .. DroppedNames(config, places, handles),
    ];

    /// <summary>
    /// Asks the kernel whether the new sockets could be bound, without binding them: for a dry run. A warning is a listener that has
    /// no socket and whose settings are unchanged: a reload tries it again, and is not refused for it.
    /// </summary>
    public static IEnumerable<ConfigDiagnostic> Probe(ReloadPlan plan, ListendConfig config, ConfigPlaces places, EvidenceBudget budget)
    {
        foreach (var step in plan.Listeners
            .Where(step => step is { Diff.After: not null, Move: ListenerMove.Beside, Bridge.IsEmpty: true }))
        {
            var after = step.Diff.After!;
            var services = config.Services.Where(service => service.Listeners.Contains(after.Name)).Select(service => service.Name);
            var diagnosis = BindDiagnostics.Ask(after with { Address = step.At }, LeftoverHolders.Of(services), budget);
            if (!diagnosis.Bindable && !(diagnosis.Cause == BindCause.StaleUnixPath && after.Unix.RemoveStale))
            {
                var found = BindableNow.Diagnostic(after.Name, diagnosis, places);
                yield return step.Diff.IsUnchanged && step.Former is { HasSocket: false }
                    ? found with { IsWarning = true, Message = "still has no socket: " + found.Message }
                    : found;
            }
        }
    }

    /// <summary>Unknown users and groups. The configuration's parser does not look them up.</summary>
    private static List<ConfigDiagnostic> UnknownAccounts(ServiceSpec service, ConfigPlaces places)
    {
        var missing = Accounts.Missing(new ListendConfig { Services = [service] }, places).ToList();
        return missing.Count > 0
            ? missing
            : [places.Diagnostic("service", service.Name, "", "the lookup of its user and groups has not finished", "try again")];
    }

    private static IEnumerable<ConfigDiagnostic> GivenNames(
        ListendConfig config, ConfigPlaces places, IReadOnlyList<ListenerHandle> handles) =>
        from given in handles
        where given is { IsGiven: true, IsAwaited: false } && config.Listeners.Any(spec => spec.Name == given.Name)
        select places.Diagnostic(
            "listener", given.Name, "", "the daemon holds a given descriptor with this name",
            $"drop it first (listenctl drop {given.Name}), or choose another name");

    /// <summary>Services that list a given listener which was dropped after the files were read.</summary>
    private static IEnumerable<ConfigDiagnostic> DroppedNames(
        ListendConfig config, ConfigPlaces places, IReadOnlyList<ListenerHandle> handles)
    {
        var known = config.Listeners.Select(spec => spec.Name).Concat(handles.Where(handle => handle.IsGiven).Select(handle => handle.Name))
            .ToHashSet(StringComparer.Ordinal);
        return from service in config.Services
               from name in service.Listeners
               where !known.Contains(name)
               select places.Diagnostic(
                   "service", service.Name, "listeners", $"no listener named \"{name}\" is configured or given",
                   $"give it first: listenctl put {name} --fd N");
    }
}
