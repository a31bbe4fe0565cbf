using System.Globalization;

namespace Supervisor.Core.Protocols;

/// <summary>The values of notify messages, parsed as systemd does (safe_atou64 in src/basic/parse-util.c).</summary>
internal static class NotifyValue
{
    private const ulong MaxMicroseconds = 100UL * 365 * 24 * 3600 * 1_000_000;

    /// <summary>
    /// A number of 64 bits: decimal, hexadecimal after "0x", binary after "0b" or octal after "0" or "0o". Blanks and a "+" may
    /// come first, as strtoull(3) has it. Null if it is not one.
    /// </summary>
    public static ulong? Number(string? text)
    {
        var digits = text.AsSpan().TrimStart(" \t\v\f");
        digits = digits is ['+', ..] ? digits[1..] : digits;
        return digits switch
        {
            ['0', 'x' or 'X', .. var hex] => Parse(hex, NumberStyles.AllowHexSpecifier),
            ['0', 'b', .. var binary] => Parse(binary, NumberStyles.AllowBinarySpecifier),
            ['0', 'o', .. var octal] => Octal(octal),
            ['0', _, ..] => Octal(digits),
            _ => Parse(digits, NumberStyles.None),
        };
    }

    /// <summary>A time in microseconds, at most a hundred years; null if it is not one.</summary>
    public static TimeSpan? Microseconds(string? text) =>
        Number(text) is { } number ? TimeSpan.FromMicroseconds((long)Math.Min(number, MaxMicroseconds)) : null;

    /// <summary>all, main, exec or none; null if it is another word.</summary>
    public static NotifyAccess? Access(string? text) => text switch
    {
        "all" => NotifyAccess.All,
        "main" or "exec" => NotifyAccess.Main,
        "none" => NotifyAccess.None,
        _ => null,
    };

    private static ulong? Parse(ReadOnlySpan<char> digits, NumberStyles style) =>
        ulong.TryParse(digits, style, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static ulong? Octal(ReadOnlySpan<char> digits)
    {
        ulong number = 0;
        foreach (var digit in digits)
        {
            if (digit is < '0' or > '7' || number > ulong.MaxValue >> 3)
            {
                return null;
            }

            number = (number << 3) | (uint)(digit - '0');
        }

        return digits.IsEmpty ? null : number;
    }
}
