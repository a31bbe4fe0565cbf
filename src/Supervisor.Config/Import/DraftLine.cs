namespace Supervisor.Config.Import;

/// <summary>A setting of the draft.</summary>
/// <param name="Key">Its path within the section, in TOML.</param>
/// <param name="Literal">Its value, in TOML.</param>
/// <param name="Origin">The setting that it was translated from; null for a default of the other program.</param>
/// <param name="Remark">A comment for the reader; null without one.</param>
internal sealed record DraftLine(string Key, string Literal, SourceSetting? Origin, string? Remark);
