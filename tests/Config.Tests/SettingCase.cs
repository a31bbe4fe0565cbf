namespace Supervisor.Config.Tests;

/// <summary>A setting with a valid and an invalid value.</summary>
/// <param name="Path">Its path in the table of settings.</param>
/// <param name="Right">A valid value, as TOML.</param>
/// <param name="Expected">The parsed value.</param>
/// <param name="Read">Reads the parsed value from the configuration.</param>
/// <param name="Wrong">An invalid value, as TOML.</param>
/// <param name="Says">A part of the message, with the value.</param>
/// <param name="Remedy">A part of the remedy.</param>
public sealed record SettingCase(
    string Path, string Right, object Expected, Func<ListendConfig, object?> Read, string Wrong, string Says, string Remedy)
{
    /// <summary>The address of the listener.</summary>
    public string Address { get; init; } = "tcp://127.0.0.1:8080";

    /// <summary>A further line of the listener that the valid value needs.</summary>
    public string? ListenerWith { get; init; }

    /// <summary>Further lines of the section that the valid value needs.</summary>
    public string With { get; init; } = "";

    /// <summary>Further lines of other sections that the valid value needs.</summary>
    public string Others { get; init; } = "";

    public override string ToString() => Path;
}
