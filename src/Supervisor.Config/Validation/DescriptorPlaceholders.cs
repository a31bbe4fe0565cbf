using Supervisor.Config.Diagnostics;
using Supervisor.Config.Settings;
using Supervisor.Config.Values;
using Supervisor.Core.Services;

namespace Supervisor.Config.Validation;

/// <summary>
/// The placeholders of a command and of environment values stand for descriptors that the worker gets, and the program's path has
/// none: a generation runs one program.
/// </summary>
internal static class DescriptorPlaceholders
{
    public static IEnumerable<ConfigDiagnostic> Check(ParsedConfig config) => config.Services.SelectMany(Check);

    private static IEnumerable<ConfigDiagnostic> Check(SectionReading<ServiceSpec> service)
    {
        var spec = service.Spec;
        if (!spec.Command.IsEmpty && Placeholders.AreIn(spec.Command[0]))
        {
            yield return service.Diagnostic(
                "command", $"{Quoted.Text(spec.Command[0])} is the program, which is the same for all workers of a generation",
                "use the placeholder in an argument");
        }

        var places = spec.Command.Skip(1).Select(text => ("command", text))
            .Concat(spec.Environment.Values.Select(text => ("environment", text)));
        foreach (var (setting, placeholder) in Probes(spec).Distinct())
        {
            yield return service.Diagnostic(
                setting, $"{Quoted.Text(placeholder)} is the number of a descriptor, and the command of exec: gets none",
                "remove the placeholder, or connect to the address of the listener");
        }

        foreach (var (setting, placeholder) in places.SelectMany(
            place => Placeholders.DescriptorsIn(place.Item2).Select(one => (place.Item1, one))).Distinct())
        {
            if (Fault(service, placeholder) is { } fault)
            {
                yield return service.Diagnostic(setting, fault.Message, fault.Remedy!);
            }
        }
    }

    private static IEnumerable<(string Setting, string Placeholder)> Probes(ServiceSpec spec) =>
        from probe in new[] { ("ready", spec.Readiness), ("liveness.probe", spec.Liveness.Probe) }
        from text in probe.Item2?.Command ?? []
        from placeholder in Placeholders.DescriptorsIn(text)
        select (probe.Item1, placeholder);

    private static ValueError? Fault(SectionReading<ServiceSpec> service, string placeholder)
    {
        var spec = service.Spec;
        if (!service.AreKnown())
        {
            return null;
        }

        if (spec.Handoff is HandoffKind.None or HandoffKind.ScmRights)
        {
            return new ValueError(
                $"{Quoted.Text(placeholder)} is the number of a descriptor, and handoff = \"{spec.Handoff.ToWireName()}\" passes none",
                "write handoff = \"listen-fds\", or remove the placeholder");
        }

        return Placeholders.ListenerOf(placeholder) is { } name && !spec.Listeners.Contains(name)
            ? new ValueError(
                $"{Quoted.Text(placeholder)}: the service does not list a listener {Quoted.Text(name)}",
                Spelling.Nearest(name, spec.Listeners) is { } near
                    ? $"did you mean {Quoted.Text($"{{fd:{near}}}")}?"
                    : $"add {Quoted.Text(name)} to listeners")
            : null;
    }
}
