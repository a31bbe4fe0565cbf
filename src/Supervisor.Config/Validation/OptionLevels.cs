using Supervisor.Config.Diagnostics;
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
        from given in GivenOption.AllOf(config)
        let found = Check(given)
        where found is not null
        select found;

    private static ConfigDiagnostic? Check(GivenOption given)
    {
        var (level, address) = (given.Option.Level, given.Listener.Address);
        if (given.Option.Row() is not { } row
            || !ListenerPlan.Domains(address).All(domain => OptionLevelKinds.IsRefused(level, address.Kind, domain)))
        {
            return null;
        }

        var kinds = OptionLevelKinds.Of(level);
        var owners = kinds.Contains(address.Kind)
            ? "only IPv6 listeners"
            : $"only {string.Join(" and ", kinds.Select(kind => $"{kind.Scheme()}://"))} listeners";
        return given["name"].Diagnostic(
            $"{given.Path}.name",
            $"the kernel refuses {row.Name} of {row.LevelName} on {address}: {owners} have options of this level",
            "remove this element of options, or change the address");
    }
}
