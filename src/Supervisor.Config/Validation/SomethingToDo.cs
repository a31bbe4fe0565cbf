using Supervisor.Config.Diagnostics;

namespace Supervisor.Config.Validation;

/// <summary>A configuration has a listener or a service. A section with an error is enough: it has its own message.</summary>
internal static class SomethingToDo
{
    public static IEnumerable<ConfigDiagnostic> Check(ParsedConfig config) =>
        config is { Listeners.Count: 0, Services.Count: 0, Diagnostics.IsEmpty: true }
            ? [config.Places.OfAll(
                "no listener and no service is configured",
                "add a section [listener.NAME] with an address, or [service.NAME] with a command")]
            : [];
}
