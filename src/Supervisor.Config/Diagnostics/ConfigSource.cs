namespace Supervisor.Config.Diagnostics;

/// <summary>One configuration file that has been read.</summary>
/// <param name="Path">Its path, as diagnostics name it.</param>
/// <param name="Text">Its content.</param>
public sealed record ConfigSource(string Path, string Text);
