using Supervisor.Config.Toml;
using Supervisor.Core.Listeners;

namespace Supervisor.Config.Settings;

/// <summary>
/// One setting: its name, type, bounds and effect on a specification. The parser, the suggestions for misspelt names, the
/// JSON Schema and the man page are derived from it.
/// </summary>
/// <param name="Section">Where it stands: <c>daemon</c>, <c>listener.NAME</c> or <c>service.NAME</c>.</param>
/// <param name="Key">Its path within the section, such as <c>bind.mark</c>.</param>
/// <param name="Type">The type of its value.</param>
/// <param name="Default">The default as a TOML value (that is JSON too); null if it is unset. Then
/// <paramref name="Description"/> names the value that applies.</param>
/// <param name="Description">What it does: imperative sentences without the last full stop. The man page and the schema show them.</param>
public abstract record Setting(string Section, string Key, SettingType Type, string? Default, string Description)
{
    /// <summary>The whole path pattern, such as <c>listener.NAME.bind.mark</c>.</summary>
    public string Path => $"{Section}.{Key}";

    /// <summary>The phase of a listener in which it takes effect; null for settings of other sections.</summary>
    public HandlePhase? Phase { get; init; }

    /// <summary>Whether a section without it is an error.</summary>
    public bool IsRequired { get; init; }
}

/// <summary>A setting of a section that becomes a <typeparamref name="TSpec"/>.</summary>
internal abstract record Setting<TSpec>(string Section, string Key, SettingType Type, string? Default, string Description)
    : Setting(Section, Key, Type, Default, Description)
{
    /// <summary>Why the setting cannot apply to a specification; null if it can.</summary>
    public Func<TSpec, ValueError?>? Refusal { get; init; }

    /// <summary>
    /// Reads the value into <paramref name="spec"/>; false after an error was reported. <paramref name="repeatsDefault"/>:
    /// the value is false or zero, or changes nothing, so it is permitted for every address.
    /// </summary>
    public abstract bool TryApply(TomlNode node, ReadContext context, ref TSpec spec, out bool repeatsDefault);
}

/// <summary>A setting whose value is a <typeparamref name="T"/>.</summary>
/// <param name="Section">See <see cref="Setting"/>.</param>
/// <param name="Key">See <see cref="Setting"/>.</param>
/// <param name="Values">The type of its value.</param>
/// <param name="Default">See <see cref="Setting"/>.</param>
/// <param name="Description">See <see cref="Setting"/>.</param>
/// <param name="With">A specification with the value in it.</param>
internal sealed record Setting<TSpec, T>(
    string Section,
    string Key,
    SettingType<T> Values,
    string? Default,
    string Description,
    Func<TSpec, T, TSpec> With) : Setting<TSpec>(Section, Key, Values, Default, Description)
{
    public override bool TryApply(TomlNode node, ReadContext context, ref TSpec spec, out bool repeatsDefault)
    {
        repeatsDefault = false;
        if (!Values.TryRead(node, context, out var value))
        {
            return false;
        }

        var changed = With(spec, value);
        repeatsDefault = value is false or 0L || EqualityComparer<TSpec>.Default.Equals(changed, spec);
        spec = changed;
        return true;
    }
}
