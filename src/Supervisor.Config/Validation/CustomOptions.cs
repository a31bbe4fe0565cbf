using Supervisor.Config.Diagnostics;
using Supervisor.Config.Settings;
using Supervisor.Config.Values;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Options;
using Supervisor.Core.Listeners.Plan;

namespace Supervisor.Config.Validation;

/// <summary>
/// Each element of <c>options</c> is a known option, and the only place that sets it. What decides who may own the address has its own
/// setting, because listend compares addresses by it.
/// </summary>
internal static class CustomOptions
{
    /// <summary>Further options that do what a setting of <c>bind</c> does.</summary>
    private static readonly (int Level, int Number, string Setting)[] SameAsBind =
        [(1, 62, "bind.device"), (41, 75, "bind.transparent"), (41, 78, "bind.free_bind")];

    public static IEnumerable<ConfigDiagnostic> Check(ParsedConfig config) =>
        from given in GivenOption.AllOf(config)
        let found = Check(given)
        where found is not null
        select found;

    private static ConfigDiagnostic? Check(GivenOption given)
    {
        var option = given.Option;
        if (Fault(given.Listener, option, given.Listener.Options.Take(given.Index)) is var (message, remedy))
        {
            return given["name"].Diagnostic($"{given.Path}.name", message, remedy);
        }

        return option.Row() is { } row && WrongValue(row, option) is { } fault
            ? given["value"].Diagnostic($"{given.Path}.value", fault.Message, fault.Remedy ?? "")
            : null;
    }

    private static (string Message, string Remedy)? Fault(ListenerSpec spec, CustomOption option, IEnumerable<CustomOption> earlier)
    {
        if (option.Row() is not { } row)
        {
            var names = OptionNames.At(option.Level);
            var near = Spelling.Nearest(option.Name.ToUpperInvariant(), names.Select(known => known.Name));
            var elsewhere = OptionNames.Levels.FirstOrDefault(level => level.Options.Any(known => known.Name == option.Name));
            return (
                $"unknown option {Quoted.Text(option.Name)} at level {OptionNames.Known(option.Level)?.Name ?? $"{option.Level}"}",
                elsewhere is not null ? $"write level = \"{elsewhere.Name}\""
                    : near is not null ? $"did you mean {Quoted.Text(near)}?"
                    : "write the option's number");
        }

        var bind = row.AffectsBindOwnership
            ? option.InCatalogue()!.Setting
            : SameAsBind.FirstOrDefault(same => (same.Level, same.Number) == (row.Level, row.Number)).Setting;
        return bind is not null
            ? ($"{row.Name} decides who may own the address and has its own setting", $"write {bind}")
            : earlier.Any(other => row.Equals(other.Row()))
            ? ($"{row.Name} is set twice in options", "remove one of the two")
            : option.InCatalogue() is { } known && IsSet(spec, known)
            ? ($"{row.Name} is set by {known.Setting} too", $"remove {known.Setting} or this element of options")
            : null;
    }

    private static bool IsSet(ListenerSpec spec, SocketOption known) => ListenerPlan.Domains(spec.Address).Any(
        domain => known.AppliesTo(spec.Address.Kind, domain) && known.ValueIn(spec, domain) is not null);

    /// <summary>An option of the catalogue is read back in its own form, and so it is written in it.</summary>
    private static ValueError? WrongValue(SocketOption row, CustomOption option) => row.Shape switch
    {
        OptionShape.Flag or OptionShape.Number or OptionShape.Linger when option.Number is null =>
            new ValueError($"{row.Name} is an integer", "write an integer without quotes"),
        OptionShape.Flag when option.Number is not (0 or 1) => new ValueError($"{row.Name} is 0 or 1", "write 0 or 1"),
        OptionShape.Name when option.Text is null => new ValueError($"{row.Name} is a string", "write it in quotes"),
        _ => null,
    };
}
