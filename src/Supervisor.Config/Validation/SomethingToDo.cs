using Supervisor.Config.Diagnostics;

namespace Supervisor.Config.Validation;

/// <summary>A configuration has a listener or a service. Where a section could not be read, its own error says enough.</summary>
internal static class SomethingToDo
{
    public static IEnumerable<ConfigDiagnostic> Check(ParsedConfig config) => config is { Listeners.Count: 0, Services.Count: 0, Diagnostics.IsEmpty: true }
        ? [config.Places.OfAll("no listener and no service: there is nothing to do", "add a section [listener.NAME] with an address, or [service.NAME] with a command")]
        : [];
}
