using Supervisor.Config.Diagnostics;
using Supervisor.Config.Settings;
using Supervisor.Config.Values;
using Supervisor.Core.Services;

namespace Supervisor.Config.Validation;

/// <summary>A service comes after services that are configured, and not after itself.</summary>
internal static class ServiceOrder
{
    public static IEnumerable<ConfigDiagnostic> Check(ParsedConfig config)
    {
        var after = config.Services.DistinctBy(service => service.Spec.Name)
            .ToDictionary(service => service.Spec.Name, service => service.Spec.After, StringComparer.Ordinal);
        return config.Services.SelectMany(service => Unknown(service, after.Keys).Concat(Cycle(service, name =>
            after.TryGetValue(name, out var others) ? others : [])));
    }

    private static IEnumerable<ConfigDiagnostic> Unknown(SectionReading<ServiceSpec> service, IReadOnlyCollection<string> known) =>
        from name in service.Spec.After.Distinct()
        where !known.Contains(name)
        select service.Diagnostic(
            "after", $"no service named {Quoted.Text(name)}",
            Spelling.Nearest(name, known.Where(other => other != service.Spec.Name)) is { } near
                ? $"did you mean {Quoted.Text(near)}?"
                : $"add a section [service.{name}], or remove the name");

    /// <summary>A cycle is reported once, at the first of its services by name.</summary>
    private static IEnumerable<ConfigDiagnostic> Cycle(SectionReading<ServiceSpec> service, Func<string, IEnumerable<string>> after)
    {
        var cycle = StartOrder.CycleOf(service.Spec.Name, after);
        if (!cycle.IsEmpty && cycle.Min(StringComparer.Ordinal) == service.Spec.Name)
        {
            yield return service.Diagnostic(
                "after", $"services wait for each other: {string.Join(" after ", cycle.Select(name => Quoted.Text(name)))}",
                "remove one of them from after");
        }
    }
}
