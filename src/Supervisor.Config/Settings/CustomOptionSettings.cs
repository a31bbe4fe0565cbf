using System.Globalization;
using Supervisor.Config.Diagnostics;
using Supervisor.Config.Values;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Options;

namespace Supervisor.Config.Settings;

/// <summary>One element of <c>options</c>.</summary>
internal static class CustomOptionSettings
{
    /// <summary>An element before its settings have been read.</summary>
    public static readonly CustomOption Blank = new(0, "0", 0, null, HandlePhase.PreListen);

    public static readonly SectionTable<CustomOption> Table = new(
    [
        Of("level", new NameOrNumberType<int>(
                "a level", "a name such as SOL_SOCKET or a number", "\"IPPROTO_TCP\"", static text => ReadLevel(text),
                static number => number is >= 0 and <= int.MaxValue ? (int)number : new ValueError(OutOfRange(number), LevelRemedy)),
            "Set an option of this level of setsockopt(2)", (s, v) => s with { Level = v }),
        Of("name", new NameOrNumberType<string>(
                "an option", "a name such as SO_RCVLOWAT or a number", "\"TCP_SYNCNT\"", static text => ReadName(text),
                static number => number is >= 0 and <= int.MaxValue
                    ? number.ToString(CultureInfo.InvariantCulture)
                    : new ValueError(OutOfRange(number), NameRemedy)),
            "Set this option. listend knows the names of Linux 6.18, and every number", (s, v) => s with { Name = v }),
        Of("value", new NameOrNumberType<OptionValue>(
                "a value", "an integer of 32 bits, a string, or bytes as \"0x\" and hexadecimal digits", "1",
                static text => ReadValue(text),
                static number => number is >= int.MinValue and <= uint.MaxValue
                    ? OptionValue.Of(number)
                    : new ValueError(OutOfRange(number), "write an integer from -2147483648 to 4294967295, or the bytes as \"0x...\"")),
            "Set the option to this value. Bytes are in the order of memory", (s, v) => s with { Number = v.Number, Text = v.Text }),
        Of("phase", new ChoiceType<HandlePhase>(
                ("pre-bind", HandlePhase.PreBind), ("pre-listen", HandlePhase.PreListen), ("post-listen", HandlePhase.PostListen)),
            "Set the option before bind(), before listen() or after listen()", (s, v) => s with { Phase = v }),
    ]);

    private const string LevelRemedy = "write a name such as \"SOL_SOCKET\", or the level's number";

    private const string NameRemedy = "write a name such as \"SO_RCVLOWAT\", or the option's number";

    private static Setting<CustomOption> Of<T>(
        string key, SettingType<T> type, string description, Func<CustomOption, T, CustomOption> with) =>
        new Setting<CustomOption, T>("listener.NAME.options[]", key, type, null, description, with) { IsRequired = true };

    private static string OutOfRange(long number) => string.Create(CultureInfo.InvariantCulture, $"{number} is out of range");

    private static ParseResult<int> ReadLevel(string text) =>
        OptionNames.LevelNumber(text) is { } level ? level
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
        : new ValueError(
            $"unknown level {Quoted.Text(text)}",
            Spelling.Nearest(text.ToUpperInvariant(), OptionNames.LevelNames) is { } near
                ? $"did you mean {Quoted.Text(near)}?"
                : LevelRemedy);

    private static ParseResult<string> ReadName(string text) =>
        text.Length is > 0 and <= 64 && text.All(static c => char.IsAsciiLetterOrDigit(c) || c == '_')
            && (!char.IsAsciiDigit(text[0]) || int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            ? text
            : new ValueError($"{Quoted.Text(text)} is not the name of an option", NameRemedy);

    private static ParseResult<OptionValue> ReadValue(string text)
    {
        if (!text.StartsWith(CustomOption.BytesPrefix, StringComparison.OrdinalIgnoreCase))
        {
            return text.Length < CustomOption.MostBytes
                ? OptionValue.Of(text)
                : new ValueError($"the value has {text.Length} characters", $"write fewer than {CustomOption.MostBytes} characters");
        }

        var digits = text[CustomOption.BytesPrefix.Length..];
        if (digits.Length == 0 || digits.Length % 2 != 0 || !digits.All(char.IsAsciiHexDigit))
        {
            return new ValueError(
                $"{Quoted.Text(text)} is not bytes: they need two hexadecimal digits each",
                "write for example \"0x0100\" for the bytes 1 and 0");
        }

        return digits.Length <= 2 * CustomOption.MostBytes
            ? OptionValue.Of(CustomOption.BytesPrefix + digits.ToLowerInvariant())
            : new ValueError($"the value has {digits.Length / 2} bytes", $"write at most {CustomOption.MostBytes} bytes");
    }
}
