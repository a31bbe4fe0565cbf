using Supervisor.Config.Diagnostics;

namespace Supervisor.Config.Toml;

/// <summary>A key of a table, where it stands, and its value.</summary>
internal sealed record TomlEntry(string Key, SourcePosition Position, TomlNode Value);
