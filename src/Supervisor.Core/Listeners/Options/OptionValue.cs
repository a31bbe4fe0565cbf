using System.Globalization;
using System.Text.Json.Serialization;

namespace Supervisor.Core.Listeners.Options;

/// <summary>
/// A socket option's value in the unit of getsockopt: a number (a flag is 0 or 1), or a name (a device, a congestion control).
/// SO_LINGER is its seconds; "off" if it is disabled.
/// </summary>
[JsonConverter(typeof(OptionValueConverter))]
public readonly record struct OptionValue
{
    private OptionValue(long? number, string? text)
    {
        Number = number;
        Text = text;
    }

    /// <summary>The number; null if the value is a name.</summary>
    public long? Number { get; }

    /// <summary>The name; null if the value is a number.</summary>
    public string? Text { get; }

    /// <summary>A number.</summary>
    public static OptionValue Of(long number) => new(number, null);

    /// <summary>A flag: 1 or 0.</summary>
    public static OptionValue Of(bool flag) => new(flag ? 1 : 0, null);

    /// <summary>A name.</summary>
    public static OptionValue Of(string text) => new(null, text);

    /// <inheritdoc/>
    public override string ToString() => Text ?? Number?.ToString(CultureInfo.InvariantCulture) ?? "";
}
