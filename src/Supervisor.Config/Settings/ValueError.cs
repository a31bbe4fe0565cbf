namespace Supervisor.Config.Settings;

/// <summary>What is wrong with a value, and what to write instead.</summary>
internal sealed record ValueError(string Message, string? Remedy);
