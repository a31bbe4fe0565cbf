namespace Supervisor.Core.Reload;

/// <summary>Something about a listener's socket that is no longer as configured, and that a reload sets right.</summary>
/// <param name="Setting">The setting that it belongs to.</param>
/// <param name="Reason">What has changed and what the reload does, as text.</param>
public sealed record ListenerMend(string Setting, string Reason);
