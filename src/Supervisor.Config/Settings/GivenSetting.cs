using Supervisor.Config.Toml;

namespace Supervisor.Config.Settings;

/// <summary>A setting of a section, with its value and position.</summary>
internal sealed record GivenSetting<TSpec>(Setting<TSpec> Setting, string Path, TomlNode Node, bool RepeatsDefault);
