using Supervisor.Config.Diagnostics;
using Supervisor.Config.Toml;

namespace Supervisor.Config.Settings;

/// <summary>The path of the setting that is read, and the list for its errors.</summary>
internal sealed record ReadContext(string Path, DiagnosticList Report, ConfigContext Config)
{
    public ReadContext At(string key) => this with { Path = Path.Length == 0 ? key : $"{Path}.{key}" };

    /// <summary>Reports an error about <paramref name="node"/>; false, so that a reader can return it.</summary>
    public bool Fail(TomlNode node, string message, string? remedy)
    {
        Report.Add(node.Position, node.SettingName ?? Path, message, remedy);
        return false;
    }

    public bool Fail(TomlNode node, ValueError fault) => Fail(node, fault.Message, fault.Remedy);
}
