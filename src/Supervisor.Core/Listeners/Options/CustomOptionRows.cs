using System.Globalization;

namespace Supervisor.Core.Listeners.Options;

/// <summary>The elements of <c>options</c> as rows, like those of the catalogue.</summary>
public static class CustomOptionRows
{
    /// <summary>The row of the catalogue for the same option; null if the catalogue does not have it.</summary>
    public static SocketOption? InCatalogue(this CustomOption option) => NumberOf(option) is { } number
        ? SocketOptions.All.FirstOrDefault(row => row.Level == option.Level && row.Number == number)
        : null;

    /// <summary>The value as the option's row has it.</summary>
    public static OptionValue Value(this CustomOption option) =>
        option.Number is { } number ? OptionValue.Of(number) : OptionValue.Of(option.Text ?? "");

    /// <summary>
    /// The option as a row: that of the catalogue in another phase, or a new one. What bind() reads of a new one is unknown, so such
    /// an option before bind() needs another socket to change. Null if the name is unknown.
    /// </summary>
    public static SocketOption? Row(this CustomOption option)
    {
        if (NumberOf(option) is not { } number)
        {
            return null;
        }

        OptionValueReader read = (_, _) => option.Value();
        if (option.InCatalogue() is { } known)
        {
            return known with { Phase = option.Phase, Setting = "options", Scope = OptionScope.Any, ValueIn = read };
        }

        var name = OptionNames.At(option.Level).FirstOrDefault(known => known.Number == number).Name;
        var level = OptionNames.Known(option.Level)?.Name;
        return new SocketOption(
            name ?? number.ToString(CultureInfo.InvariantCulture), level ?? option.Level.ToString(CultureInfo.InvariantCulture),
            option.Level, number, Shape(option), option.Phase, "options", OptionScope.Any, OptionInheritance.ListenerOnly, read)
        {
            ChangeableInPlace = option.Phase != HandlePhase.PreBind,
        };
    }

    /// <summary>The option's number; null if the name is unknown at this level.</summary>
    private static int? NumberOf(CustomOption option) =>
        int.TryParse(option.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
        : OptionNames.At(option.Level).FirstOrDefault(known => known.Name == option.Name) is { Name: not null } known ? known.Number
        : null;

    private static OptionShape Shape(CustomOption option) =>
        option.Text is not { } text ? OptionShape.Number
        : text.StartsWith(CustomOption.BytesPrefix, StringComparison.Ordinal) ? OptionShape.Bytes
        : OptionShape.Name;
}
