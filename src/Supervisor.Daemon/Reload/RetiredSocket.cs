using Supervisor.Linux.Listeners;

namespace Supervisor.Daemon.Reload;

/// <summary>A socket that is no longer configured, and lives as long as a worker has it or may get it.</summary>
/// <param name="Former">The handle that has it.</param>
/// <param name="Successor">The handle of the same listener's new socket; null: the listener is removed.</param>
/// <param name="Bridge">What tells the kernel which of the two gets new connections; null where nothing can tell it.</param>
internal sealed record RetiredSocket(ListenerHandle Former, ListenerHandle? Successor, ISocketBridge? Bridge);
