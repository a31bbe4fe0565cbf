using Supervisor.Config.Toml;

namespace Supervisor.Config.Settings;

/// <summary>A setting that a section has, and where its value stands.</summary>
internal sealed record GivenSetting<TSpec>(Setting<TSpec> Setting, string Path, TomlNode Node, bool RepeatsDefault);
