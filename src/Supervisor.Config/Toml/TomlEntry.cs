using Supervisor.Config.Diagnostics;

namespace Supervisor.Config.Toml;

/// <summary>A key of a table, with its position and value.</summary>
internal sealed record TomlEntry(string Key, SourcePosition Position, TomlNode Value);
