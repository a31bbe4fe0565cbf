using Supervisor.Config.Settings;
using Supervisor.Core.Listeners;
using Supervisor.Core.Services;

namespace Supervisor.Config.Validation;

/// <summary>Facts about what a service lists that several rules need.</summary>
internal static class ListedListeners
{
    /// <summary>Whether the list is complete: false if it could not be read.</summary>
    public static bool AreKnown(this SectionReading<ServiceSpec> service) =>
        service.Given.ContainsKey("listeners") || service.Table.Find("listeners") is null;

    /// <summary>
    /// The kinds of the listeners that the service lists; null if one of them has no address. Such a listener has an error of
    /// its own, or a client puts it later.
    /// </summary>
    public static List<ListenerKind>? Kinds(this SectionReading<ServiceSpec> service, ParsedConfig config)
    {
        var kinds = new List<ListenerKind>();
        foreach (var name in service.Spec.Listeners)
        {
            if (!config.ListenersByName.TryGetValue(name, out var listener) || !listener.Given.ContainsKey("address"))
            {
                return null;
            }

            kinds.Add(listener.Spec.Address.Kind);
        }

        return kinds;
    }
}
