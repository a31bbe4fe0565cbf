namespace Supervisor.Config.Tests;

/// <summary>One setting, once right and once wrong.</summary>
/// <param name="Path">The pattern in the table of settings.</param>
/// <param name="Right">A good value, as TOML.</param>
/// <param name="Expected">What it becomes.</param>
/// <param name="Read">Where in the configuration.</param>
/// <param name="Wrong">A bad value, as TOML.</param>
/// <param name="Says">What the message has to contain; the value among it.</param>
/// <param name="Remedy">What the remedy has to contain.</param>
public sealed record SettingCase(
    string Path, string Right, object Expected, Func<ListendConfig, object?> Read, string Wrong, string Says, string Remedy)
{
    /// <summary>The address that the listener has meanwhile.</summary>
    public string Address { get; init; } = "tcp://127.0.0.1:8080";

    /// <summary>Further lines of the section that the good value needs.</summary>
    public string With { get; init; } = "";

    public override string ToString() => Path;
}
