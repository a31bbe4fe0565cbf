namespace Supervisor.Config;

/// <summary>Where a setting's value stands, for what is only found out when somebody looks beyond the text.</summary>
/// <param name="File">The file.</param>
/// <param name="Line">Line, from 1.</param>
/// <param name="Column">Column in characters, from 1.</param>
public readonly record struct SettingPlace(string File, int Line, int Column);
