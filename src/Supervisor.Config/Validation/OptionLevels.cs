using Supervisor.Config.Diagnostics;
using Supervisor.Config.Settings;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Options;
using Supervisor.Core.Listeners.Plan;

namespace Supervisor.Config.Validation;

/// <summary>
/// Each element of <c>options</c> is of a level that the listener has. Only <c>listend check</c> says so: a listener works without an
/// option that the kernel refuses, and a daemon with such a file must still start.
/// </summary>
internal static class OptionLevels
{
    public static IEnumerable<ConfigDiagnostic> Check(ParsedConfig config) =>
        from listener in config.Listeners
        where listener.Given.ContainsKey("options")
        from found in Check(listener.Spec, listener.Given["options"])
        select found;

    private static IEnumerable<ConfigDiagnostic> Check(ListenerSpec spec, GivenSetting<ListenerSpec> given)
    {
        for (var i = 0; i < given.Node.Items.Count; i++)
        {
            var option = spec.Options[i];
            if (option.Row() is { } row
                && ListenerPlan.Domains(spec.Address).All(domain => OptionLevelKinds.IsRefused(option.Level, spec.Address.Kind, domain)))
            {
                var isFamily = OptionLevelKinds.Of(option.Level).Contains(spec.Address.Kind);
                var owners = isFamily
                    ? "only IPv6 listeners"
                    : $"only {string.Join(" and ", OptionLevelKinds.Of(option.Level).Select(kind => $"{kind.Scheme()}://"))} listeners";
                yield return given.Node.Items[i].Find("name")!.Value.Diagnostic(
                    $"{given.Path}.name",
                    $"the kernel refuses {row.Name} of {row.LevelName} on {spec.Address}: {owners} have options of this level",
                    "remove this element of options, or change the address");
            }
        }
    }
}
