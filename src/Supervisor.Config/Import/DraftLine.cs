namespace Supervisor.Config.Import;

/// <summary>A setting of listend that is going to be written.</summary>
/// <param name="Key">Its path within the section, as TOML writes it.</param>
/// <param name="Literal">Its value, as TOML writes it.</param>
/// <param name="Origin">What it was translated from; null where it keeps up a default of the other program.</param>
/// <param name="Remark">What the reader should know about it; null where there is nothing.</param>
internal sealed record DraftLine(string Key, string Literal, SourceSetting? Origin, string? Remark);
